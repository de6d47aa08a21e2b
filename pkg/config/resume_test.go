package config

import (
	"errors"
	"testing"
)

func TestCheckResume(t *testing.T) {
	run := load(t, Sources{}).Config
	for _, test := range []struct{ set, want string }{
		{"train.epochs=30", ""},
		{"train.save_minutes=0", ""},
		{"train.skip_nonfinite=true", ""},
		{"train.recompute=true", ""},
		{"data.workers=3", ""},
		{"data.roots.visa=/elsewhere", ""},
		{"device=cuda", ""}, // the kind of device is compared once it is known
		{"seed=5", "--set: seed: is 5, but the run to resume has 0; leave it out or start a new run"},
		{"train.lr.text=1", "--set: train.lr.text: is 1, but the run to resume has 0.0005; leave it out or start a new run"},
		{"train.init_from=/a", `--set: train.init_from: is /a, but the run to resume has ""; leave it out or start a new run`},
		{"model.groups=4", "--set: model.groups: is 4, but the run to resume has 3; leave it out or start a new run"},
		{"precision=bf16", "--set: precision: is bf16, but the run to resume has auto; leave it out or start a new run"},
	} {
		err := CheckResume(run, load(t, Sources{Set: []string{test.set}}))
		var one *Error
		switch {
		case test.want == "" && err != nil, test.want != "" && (err == nil || err.Error() != test.want || !errors.As(err, &one)):
			t.Errorf("%s: got %v, want %q", test.set, err, test.want)
		}
	}
}

func TestCheckInitial(t *testing.T) {
	trained := load(t, Sources{}).Config.Model
	for _, test := range []struct{ set, want string }{
		{"model.image_size=518", ""}, // may change at run time, too
		{"model.adapter.hidden=256", ""},
		{"model.adapter.init=released", ""}, // has no effect when training starts from a checkpoint
		{"model.groups=4", "model.groups: is 4, but the checkpoint to start from was trained with 3"},
		{"model.fusion.similarity=dot", "model.fusion.similarity: is dot, but the checkpoint to start from was trained with cosine"},
	} {
		err := CheckInitial(trained, load(t, Sources{Set: []string{test.set}}).Config.Model)
		if test.want == "" && err != nil || test.want != "" && (err == nil || err.Error() != test.want) {
			t.Errorf("%s: got %v, want %q", test.set, err, test.want)
		}
	}
}
