package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"acdclip/internal/rundir"
	"acdclip/pkg/data"
	"acdclip/pkg/evaluation"
	"acdclip/pkg/plural"
	"acdclip/pkg/report"
)

// checkBeside refuses --beside where there are no whole results.
func (o *evalOptions) checkBeside() error {
	if len(o.beside) > 0 && o.given.Changed("shard") {
		return usagef("--beside stands beside whole results: join the shares first, then repeat the command without --shard and with --resume")
	}
	return nil
}

// others reads the metrics of other methods' maps that --beside names, and checks that they
// are of the plan's targets.
func (o *evalOptions) others(plan *evalPlan) ([]report.OtherMethod, error) {
	targets := map[string]*data.Dataset{}
	var names []string
	for _, job := range plan.jobs {
		if targets[job.Set.Name] == nil {
			targets[job.Set.Name] = job.Set
			names = append(names, job.Set.Name)
		}
	}
	var list []report.OtherMethod
	for _, text := range o.beside {
		target, name, path := parseBeside(text, names)
		if path == "" || name == "" {
			return nil, usagef("--beside %q: must be FILE, NAME=FILE or TARGET:NAME=FILE", text)
		}
		if target == "" {
			return nil, usagef("--beside %s: there are %d targets (%s); say whose result it is with TARGET:NAME=FILE", text, len(names), plural.Few(names))
		}
		other, err := readOther(targets[target], name, path)
		if err != nil {
			return nil, err
		}
		for _, before := range list {
			if before.Target == other.Target && before.Name == other.Name {
				return nil, usagef("--beside gives two results on %s the name %s; name them with NAME=FILE", target, other.Name)
			}
		}
		list = append(list, other)
	}
	return list, nil
}

// parseBeside reads [TARGET:][NAME=]FILE. Without TARGET it is the only target, or "" if there
// are several; without NAME it is the file's name.
func parseBeside(text string, targets []string) (target, name, path string) {
	path = text
	for _, known := range targets {
		if rest, of := strings.CutPrefix(text, known+":"); of && len(known) > len(target) {
			target, path = known, rest
		}
	}
	if target == "" && len(targets) == 1 {
		target = targets[0]
	}
	if before, after, named := strings.Cut(path, "="); named && !isPath(before) {
		return target, before, after
	}
	if path == "" {
		return target, "", ""
	}
	name = filepath.Base(path)
	return target, strings.TrimSuffix(name, filepath.Ext(name)), path
}

// readOther reads the metrics of another method's maps of a target.
func readOther(set *data.Dataset, name, path string) (report.OtherMethod, error) {
	classes, source, err := report.ReadMapMetrics(path)
	if err != nil {
		return report.OtherMethod{}, fmt.Errorf("--beside: %w", err)
	}
	if classes, err = evaluation.OtherClasses(set, classes); err != nil {
		return report.OtherMethod{}, usagef("--beside %s: %w", path, err)
	}
	return report.OtherMethod{Target: report.EscapeName(set.Name), Name: report.EscapeName(name), Source: source, Classes: classes}, nil
}

// stand puts other methods beside finished results, in place of those that were there. The
// folder must be locked.
func stand(others []report.OtherMethod, found *report.Evaluation, folder *rundir.Evaluation) error {
	found.Beside = others
	return folder.Write(rundir.ResultsFile, found.WriteJSON)
}
