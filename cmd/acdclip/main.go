// Command acdclip finds anomalies in pictures without a training picture of
// their kind. Each verb has a file of its own: flags -> configuration -> engine
// -> report.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/term"

	"acdclip/pkg/report"
)

// version is the program's version; the build sets it.
var version = "devel"

func main() {
	app := newApp(os.Stdout, os.Stderr, term.IsTerminal(int(os.Stderr.Fd())))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, func() {
		stop() // a second signal has its usual effect: the program ends at once
		app.emit(report.Notice{Text: "stopping; a second signal stops at once"})
	})
	os.Exit(app.run(ctx, os.Args[1:]))
}
