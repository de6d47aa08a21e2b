// Command acdclip finds anomalies in pictures without a training picture of
// their kind. Each verb has a file of its own: flags, options and its course.
package main

import (
	"context"
	"os"
	"strings"

	"acdclip/pkg/model/methods"
	"acdclip/pkg/published"

	"al.essio.dev/pkg/shellescape"
	"golang.org/x/term"
)

// version is the program's version; the build sets it.
var version = "devel"

func main() { os.Exit(runWith(methods.All(), published.All())) }

// runWith runs the command line with these methods and published weights, and returns the
// exit status.
func runWith(table methods.Table, weights published.Table) int {
	app := newApp(os.Stdout, os.Stderr, term.IsTerminal(int(os.Stderr.Fd())))
	app.methods, app.published = table, weights
	app.program = calledFromAnywhere(os.Args[0])
	ctx, cancel := context.WithCancel(context.Background())
	go app.stopOnSignal(cancel)
	go app.saveOnSignal()
	status := app.run(ctx, os.Args[1:])
	app.endByPipe()
	return status
}

// calledFromAnywhere is how a shell calls the program in any folder: by its name
// where that was enough, else by its path.
func calledFromAnywhere(name string) string {
	if !strings.ContainsRune(name, os.PathSeparator) {
		return name
	}
	return shellescape.Quote(absolutePath(name))
}
