package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"acdclip/pkg/config/section"
)

// writeFile writes a configuration file into a temporary folder and returns its path.
func writeFile(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "c.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Each case is the exact message that a user reads.
func TestFileMessages(t *testing.T) {
	const top = "preset, method, clip, clip_heads, device, precision, threads, seed, model, loss, train, data, weights, checkpoints, models"
	const zeroByZero = "model.adapter.merge: rescale does not work with model.adapter.init: paper, whose adapters output exactly zero, which cannot be scaled to a norm (0/0); set model.adapter.init to released, or merge to residual"
	cases := []struct{ name, yaml, want string }{
		{"section mistyped", "modle: {groups: 3}", "c.yaml:1: modle: unknown key (did you mean model?)"},
		{"key mistyped", "model:\n  gropus: 3", "c.yaml:2: model.gropus: unknown key (did you mean model.groups?)"},
		{"key of another section", "groups: 3", "c.yaml:1: groups: unknown key (did you mean model.groups?)"},
		{"key unlike any", "quux: 1", "c.yaml:1: quux: unknown key; the keys here are " + top},
		{"key of a later version", "train: {warmup: 2}", "c.yaml:1: train.warmup: unknown key; the keys here are auxiliary, classes, limit, validate, epochs, batch, lr, lr_decay, beta1, weight_decay, shuffle, mask_resize, augment, mosaic, accumulate, recompute, feature_cache, feature_format, init_from, skip_nonfinite, save_minutes"},
		{"unprintable key", `"\0": 1`, `c.yaml:1: "\x00": unknown key; the keys here are ` + top},
		{"two mistakes", "seed: -1\nthreads: -1", "c.yaml:1: seed: must be a whole number, at least 0, is the number -1\nc.yaml:2: threads: must be between 0 and 1024, is -1"},

		{"text for a number", "model: {groups: three}", "c.yaml:1: model.groups: must be a whole number between 1 and 64, is the text three"},
		{"fraction for a count", "model: {groups: 3.5}", "c.yaml:1: model.groups: must be a whole number between 1 and 64, is the number 3.5"},
		{"too small", "model: {groups: 0}", "c.yaml:1: model.groups: must be between 1 and 64, is 0"},
		{"too large for any integer", "seed: 99999999999999999999", "c.yaml:1: seed: must be a whole number, at least 0, is the number 99999999999999999999"},
		{"no number", "train: {lr: {text: .nan}}", "c.yaml:1: train.lr.text: must be more than 0, is NaN"},
		{"infinite", "train: {lr: {text: .inf}}", "c.yaml:1: train.lr.text: must be more than 0, is +Inf"},
		{"beyond one", "train: {lr_decay: 1.5}", "c.yaml:1: train.lr_decay: must be more than 0 and at most 1, is 1.5"},
		{"empty value", "model:\n  groups:", "c.yaml:2: model.groups: has no value; set it to a whole number between 1 and 64 or leave the key out"},
		{"yes", "data: {exif_orientation: yes}", "c.yaml:1: data.exif_orientation: must be auto, true or false, is yes"},
		{"no", "train: {shuffle: no}", "c.yaml:1: train.shuffle: must be true or false, is the text no"},
		{"number for a boolean choice", "data: {exif_orientation: 1}", "c.yaml:1: data.exif_orientation: must be auto, true or false, is the number 1"},
		{"too many bits", "data: {depth: 17}", "c.yaml:1: data.depth: must be auto, 8, 9, 10, 11, 12, 13, 14, 15 or 16, is the number 17"},
		{"fractions of bits", "data: {depth: 12.0}", "c.yaml:1: data.depth: must be auto, 8, 9, 10, 11, 12, 13, 14, 15 or 16, is the number 12.0"},
		{"number for text", "clip: 123", "c.yaml:1: clip: must be a path or a name, is the number 123; quote it to make it text"},
		{"date for text", "train: {auxiliary: 2024-01-01}", "c.yaml:1: train.auxiliary: must be text, is the date 2024-01-01; quote it to make it text"},
		{"tag", "clip: !!binary aGk=", "c.yaml:1: clip: must be a path or a name, is aGk= with the tag !!binary"},
		{"number for a section", "train: {lr: 0.1}", "c.yaml:1: train.lr: must be a section (keys: text, vision), is the number 0.1"},
		{"list for a section", "- a", "c.yaml:1: must be a section (keys: " + top + "), is a list"},
		{"section for a number", "model: {groups: {n: 3}}", "c.yaml:1: model.groups: must be a whole number between 1 and 64, is a section"},

		{"choice mistyped", "model: {adapter: {kind: conv_lor}}", "c.yaml:1: model.adapter.kind: must be conv_lora or lora, is conv_lor (did you mean conv_lora?)"},
		{"choice unlike any", "precision: int4", "c.yaml:1: precision: must be auto, fastest, fp32 or bf16, is int4"},
		{"number for a choice", "model: {fusion: {kind: 5}}", "c.yaml:1: model.fusion.kind: must be dfg or static, is the number 5"},
		{"one choice", "method: winclip", "c.yaml:1: method: must be acdclip, is winclip"},
		{"preset", "preset: papre", "c.yaml:1: preset: must be paper or released, is papre (did you mean paper?)"},
		{"device", "device: cuda:x", "c.yaml:1: device: must be auto, cpu, cuda or cuda:0, is cuda:x (did you mean cuda:0?)"},

		{"given twice", "model:\n  groups: 3\n  groups: 4", "c.yaml:3: model.groups: is given twice, first on line 2"},
		{"two documents", "seed: 1\n---\nseed: 2", "c.yaml:2: a second YAML document starts here; a configuration file may hold only one"},
		{"tab", "model:\n\tgroups: 3", "c.yaml:2: is not valid YAML: found character that cannot start any token (YAML is indented with spaces, not tabs)"},
		{"open bracket", "model: {groups: 3", "c.yaml:1: is not valid YAML: did not find expected ',' or '}'"},
		{"list as key", "? [a, b]\n: 3", "c.yaml:1: a key must be plain text, is a list"},
		{"merge key", "model: {adapter: &a {rank: 4}, fusion: {<<: *a}}", "c.yaml:1: model.fusion: merge keys (<<) are not read; write the values out"},

		{"zero over zero", "model: {adapter: {merge: rescale}}", "c.yaml:1: " + zeroByZero},
		{"zero over zero from init", "preset: released\nmodel: {adapter: {init: paper}}", "c.yaml:2: " + zeroByZero},
		{"even kernel", "model: {adapter: {kernels: [3, 4]}}", "c.yaml:1: model.adapter.kernels: must be odd, so that convolutions keep the size of the patch grid; 4 is even"},
		{"no kernel", "model: {adapter: {kernels: []}}", "c.yaml:1: model.adapter.kernels: must list between 1 and 8 kernel sizes, lists 0"},
		{"kernel twice", "model: {adapter: {kernels: [3, 3]}}", "c.yaml:1: model.adapter.kernels: lists 3 twice"},
		{"kernel is text", "model: {adapter: {kernels: [3, x]}}", "c.yaml:1: model.adapter.kernels: must be a whole number between 1 and 63, is the text x"},
		{"score beyond one", "model: {score: {map: 0.9}}", "c.yaml:1: model.score.classification: 0.5 and model.score.map: 0.9 sum to 1.4; the sum may be at most 1, so that image scores stay in [0, 1]"},
		{"score always zero", "model: {score: {medical: {map: 0, classification: 0}}}", "c.yaml:1: model.score.medical.classification: is 0, and so is model.score.medical.map: every image score would be 0"},
		{"no loss", "loss: {focal: 0, dice: 0, classification: 0}", "c.yaml:1: loss.focal: is 0, and so are loss.dice and loss.classification: there is nothing to train"},

		{"root's key", "data: {roots: {bolts: {path: /x, folder: ok}}}", "c.yaml:1: data.roots.bolts.folder: unknown key; the keys here are path, domain, list, normal, anomalous, masks, mask_threshold"},
		{"root's domain", "data: {roots: {bolts: {path: /x, domain: medcal}}}", "c.yaml:1: data.roots.bolts.domain: must be industrial or medical, is medcal (did you mean medical?)"},
		{"root without path", "data:\n  roots:\n    bolts: {domain: medical}", "c.yaml:3: data.roots.bolts: has no path; set path to the dataset's folder"},
		{"roots as list", "data: {roots: [a]}", "c.yaml:1: data.roots: must be a mapping, is a list"},
		{"name with a slash", "data: {roots: {a/b: /x}}", `c.yaml:1: data.roots.a/b: a/b cannot name a dataset: a name must not contain /, \ or = and must not be *, . or ..`},
		{"name with a control character", `data: {roots: {"a\tb": /x}}`, `c.yaml:1: "data.roots.a\tb": "a\tb" cannot name a dataset: it contains a control character`},
		{"empty name", "data: {pairing: {visa: ''}}", "c.yaml:1: data.pairing.visa: a dataset's name is empty"},
		{"star as auxiliary", "data: {pairing: {visa: '*'}}", `c.yaml:1: data.pairing.visa: * cannot name a dataset: a name must not contain /, \ or = and must not be *, . or ..`},
		{"empty checkpoint", "checkpoints: {visa: ['']}", "c.yaml:1: checkpoints.visa: contains an empty path"},
		{"checkpoint section", "checkpoints: {visa: {a: b}}", "c.yaml:1: checkpoints.visa: must be a path or a name, is a section"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			path := writeFile(t, c.yaml+"\n")
			_, err := catalog().Load(Sources{Files: []string{path}})
			if err == nil {
				t.Fatalf("no error; want %s", c.want)
			}
			if got := strings.ReplaceAll(err.Error(), filepath.Dir(path)+"/", ""); got != c.want {
				t.Errorf("message is\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

func TestOtherMessages(t *testing.T) {
	cases := []struct {
		name    string
		sources Sources
		want    string
	}{
		{"--set mistyped", Sources{Set: []string{"model.gropus=3"}}, "--set: model.gropus: unknown key (did you mean model.groups?)"},
		{"--set section mistyped", Sources{Set: []string{"modle.groups=3"}}, "--set: modle.groups: unknown key (did you mean model.groups?)"},
		{"--set map mistyped", Sources{Set: []string{"data.rots.bolts=/x"}}, "--set: data.rots.bolts: unknown key (did you mean data.roots?)"},
		{"--set without a value", Sources{Set: []string{"model.groups"}}, "--set: model.groups: must be key=value, as in --set model.groups=4"},
		{"--set with an empty value", Sources{Set: []string{"model.groups="}}, "--set: model.groups: has no value; set it to a whole number between 1 and 64 or leave the key out"},
		{"--set of a wrong type", Sources{Set: []string{"model.groups=x"}}, "--set: model.groups: must be a whole number between 1 and 64, is the text x"},
		{"--set of a number in a list", Sources{Set: []string{"model.adapter.kernels=3,x"}}, "--set: model.adapter.kernels: must be a whole number between 1 and 63, is the text x"},
		{"--set of broken YAML", Sources{Set: []string{"model={groups: 3"}}, "--set: model: is not valid YAML: did not find expected ',' or '}'"},
		{"--set of a root's part", Sources{Set: []string{"data.roots.bolts.domain=medcal"}}, "--set: data.roots.bolts.domain: must be industrial or medical, is medcal (did you mean medical?)"},
		{"--set contradiction", Sources{Set: []string{"model.score.map=1"}}, "--set: model.score.classification: 0.5 and model.score.map: 1 sum to 1.5; the sum may be at most 1, so that image scores stay in [0, 1]"},
		{"variable mistyped", Sources{Env: []string{"ACDCLIP_MODEL_GROPUS=3"}}, "environment: ACDCLIP_MODEL_GROPUS: matches no key (did you mean ACDCLIP_MODEL_GROUPS?)"},
		{"variable unlike any", Sources{Env: []string{"ACDCLIP_FOO=3"}}, "environment: ACDCLIP_FOO: matches no key"},
		{"variable of an entry", Sources{Env: []string{"ACDCLIP_DATA_ROOTS_VISA=/x"}}, "environment: ACDCLIP_DATA_ROOTS_VISA: matches no key (did you mean ACDCLIP_DATA_ROOTS?)"},
		{"variable's value", Sources{Env: []string{"ACDCLIP_MODEL_GROUPS=0"}}, "ACDCLIP_MODEL_GROUPS: model.groups: must be between 1 and 64, is 0"},
		{"flag's value", Sources{Flags: map[string]any{"threads": -1}}, "command line: threads: must be between 0 and 1024, is -1"},
		{"flag's type", Sources{Flags: map[string]any{"seed": "x"}}, "command line: seed: must be a whole number, at least 0, is the text x"},
		{"unknown flag", Sources{Flags: map[string]any{"train.epoch": 3}}, "command line: train.epoch: unknown key (did you mean train.epochs?)"},
		{"fallback preset", Sources{Preset: "papre"}, "preset: must be paper or released, is papre (did you mean paper?)"},
		{"empty file name", Sources{Files: []string{""}}, "reading configuration: the file's name is empty"},
		{"missing file", Sources{Files: []string{"/no/such.yaml"}}, "reading configuration: open /no/such.yaml: no such file or directory"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := catalog().Load(c.sources)
			if err == nil || err.Error() != c.want {
				t.Errorf("message is\n%v\nwant\n%s", err, c.want)
			}
		})
	}
}

// TestNoRegularFile would block forever if the pipe were opened.
func TestNoRegularFile(t *testing.T) {
	folder := t.TempDir()
	pipe := filepath.Join(folder, "pipe.yaml")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip(err)
	}
	for path, kind := range map[string]string{pipe: "a pipe", folder: "a folder", os.DevNull: "a device"} {
		_, err := catalog().Load(Sources{Files: []string{path}})
		if _, ok := errors.AsType[*Error](err); !ok || err.Error() != path+": is "+kind+", not a configuration file" {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

func TestManyMistakesAreCutShort(t *testing.T) {
	_, err := catalog().Load(Sources{Set: strings.Split(strings.Repeat("zzz=1 ", 25)+"zzz=1", " ")})
	if err == nil {
		t.Fatal("no error")
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != section.MaxReported+1 || lines[section.MaxReported] != "and 6 more" {
		t.Errorf("got %d lines, the last %q", len(lines), lines[len(lines)-1])
	}
}
