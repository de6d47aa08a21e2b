// Command serve is the load of bench/serve.sh.
//
//	serve load URL CLIENTS SECONDS PICTURE...    sends pictures and prints a line of JSON
//	serve tokens CLIP                            reads texts, one a line, and prints the rows
//	                                             of the token embedding that each has, as JSON
//	serve builtin FOLDER                         writes the built-in CLIP and its adapters
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"acdclip/bench/load"
	"acdclip/pkg/builtin"
	"acdclip/pkg/clip/pretrained"
	"acdclip/pkg/clip/tokenizer"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) > 4 && args[0] == "load":
		return send(args[1], args[2], args[3], args[4:])
	case len(args) == 2 && args[0] == "tokens":
		return tokens(args[1])
	case len(args) == 2 && args[0] == "builtin":
		return writeBuiltin(args[1])
	default:
		return errors.New("usage: serve load URL CLIENTS SECONDS PICTURE..., serve tokens CLIP, or serve builtin FOLDER")
	}
}

func send(url, clients, seconds string, paths []string) error {
	count, err := strconv.Atoi(clients)
	if err != nil {
		return err
	}
	lasting, err := time.ParseDuration(seconds + "s")
	if err != nil {
		return err
	}
	pictures, err := load.Read(paths)
	if err != nil {
		return err
	}
	client := load.NewClient(url, count)
	defer client.Close()
	return print(load.Run(context.Background(), client.Score, pictures, count, lasting))
}

// tokens prints [texts, context] rows.
func tokens(clip string) error {
	checkpoint, err := pretrained.Open(clip)
	if err != nil {
		return err
	}
	defer checkpoint.Close()
	by, err := tokenizer.New()
	if err != nil {
		return err
	}
	rowOf := checkpoint.TokenRows() // nil if the vocabulary is whole
	var rows [][]int64
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var row []int64
		for _, id := range by.Encode(lines.Text(), checkpoint.Arch.ContextLength) {
			if rowOf != nil {
				row = append(row, rowOf[id])
			} else {
				row = append(row, int64(id))
			}
		}
		rows = append(rows, row)
	}
	return errors.Join(lines.Err(), print(rows))
}

func print(value any) error { return json.NewEncoder(os.Stdout).Encode(value) }

// writeBuiltin writes what other programs can read of the built-in model: a folder of Hugging
// Face's format with the adapters beside it.
func writeBuiltin(folder string) error {
	clip, err := builtin.OpenCLIP(builtin.Tiny)
	if err != nil {
		return err
	}
	adapters, err := builtin.Checkpoint(builtin.Tiny)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	for name, content := range map[string][]byte{"model.safetensors": clip.Weights, "config.json": clip.Config, "adapters.safetensors": adapters} {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}
