package config

import (
	"errors"
	"reflect"
	"testing"

	"acdclip/pkg/clip/activation"
	"acdclip/pkg/config/section"
	"acdclip/pkg/model/acdclip/options"
)

func TestOverlayModel(t *testing.T) {
	trained := presetModel(t, options.Released)
	trained.Groups = 6
	with := func(change func(*options.Model)) *options.Model {
		m := Clone(trained)
		change(m)
		return m
	}
	cases := []struct {
		name    string
		set     []string
		want    *options.Model
		changes []string
	}{
		{"nothing set", nil, trained, nil},
		{"the same", []string{"model.groups=6", "model.adapter.kernels=[3, 5]"}, trained, nil},
		{"image size", []string{"model.image_size=98"}, with(func(m *options.Model) { m.ImageSize = 98 }),
			[]string{"model.image_size: 98 (--set) instead of the checkpoint's 518"}},
		{"score, smoothing, activation", []string{"model.score.map=0.05", "model.fusion.smoothing=none", "model.activation=auto"},
			with(func(m *options.Model) {
				m.Score.Map = 0.05
				m.Fusion.Smoothing = options.NoSmoothing
				m.Activation = activation.Auto
			}),
			[]string{
				"model.activation: auto (--set) instead of the checkpoint's gelu",
				"model.fusion.smoothing: none (--set) instead of the checkpoint's gaussian",
				"model.score.map: 0.05 (--set) instead of the checkpoint's 0.1",
			}},
		{"initial values no longer matter", []string{"model.adapter.init=paper"}, trained, nil},
		{"hidden width, which shapes will tell", []string{"model.adapter.hidden=256"}, with(func(m *options.Model) { m.Adapter.Hidden = 256 }),
			[]string{"model.adapter.hidden: 256 (--set) instead of the checkpoint's 0"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, changes, err := OverlayModel("acdclip", trained, load(t, Sources{Set: c.set, OwnModel: true}))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, section.Model(c.want)) {
				t.Errorf("model is\n%+v\nwant\n%+v", got, c.want)
			}
			if !reflect.DeepEqual(changes, c.changes) {
				t.Errorf("changes are %q, want %q", changes, c.changes)
			}
		})
	}
}

func TestOverlayModelRefuses(t *testing.T) {
	trained := presetModel(t, options.Released)
	trained.Adapter.Hidden = 32
	for set, want := range map[string]string{
		"model.groups=3":               "--set: model.groups: is 3, but the checkpoint was trained with 4; leave it out or choose another checkpoint",
		"model.adapter.kind=lora":      "--set: model.adapter.kind: is lora, but the checkpoint was trained with conv_lora; leave it out or choose another checkpoint",
		"model.adapter.hidden=64":      "--set: model.adapter.hidden: is 64, but the checkpoint was trained with 32; leave it out or choose another checkpoint",
		"model.fusion.temperature=0.2": "--set: model.fusion.temperature: is 0.2, but the checkpoint was trained with 0.1; leave it out or choose another checkpoint",
		"model.adapter.kernels=[3]":    "--set: model.adapter.kernels: is [3], but the checkpoint was trained with [3 5]; leave it out or choose another checkpoint",
		"model.score.map=0.2":          "--set: model.score.classification: 0.9 and model.score.map: 0.2 sum to 1.1; the sum may be at most 1, so that image scores stay in [0, 1]",
	} {
		_, _, err := OverlayModel("acdclip", trained, load(t, Sources{Set: []string{set}, OwnModel: true}))
		var e *Error
		if !errors.As(err, &e) || err.Error() != want {
			t.Errorf("%s gives\n%v\nwant\n%s", set, err, want)
		}
	}
}

func TestOverlayModelLeavesTheCheckpointsAlone(t *testing.T) {
	trained := presetModel(t, options.Paper)
	got, _, err := OverlayModel("acdclip", trained, Loaded{Config: Config{Model: presetModel(t, options.Paper)}})
	if err != nil {
		t.Fatal(err)
	}
	got.(*options.Model).Adapter.Kernels[0] = 9
	if trained.Adapter.Kernels[0] != 3 {
		t.Error("the result shares its kernels with the checkpoint's model")
	}
}

func presetModel(t *testing.T, name string) *options.Model {
	t.Helper()
	c, err := preset(name)
	if err != nil {
		t.Fatal(err)
	}
	return c.Model.(*options.Model)
}
