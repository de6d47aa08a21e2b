package config

import (
	"reflect"
	"slices"

	"acdclip/pkg/config/section"
	"acdclip/pkg/model/card"
	"acdclip/pkg/spelling"
)

// Error is one mistake in a configuration. Load and Validate return every
// mistake they find, joined; errors.As finds the first.
type Error = section.Error

// Origin is where a value was set.
type Origin = section.Origin

// Catalog holds the choices that other packages define and a configuration may name.
type Catalog struct {
	Methods    card.List // the first is the default
	Precisions []string  // permitted values of precision besides auto and fastest; nil: any
}

// Preset returns the complete configuration of a method's preset; "" is the default. It
// names no CLIP, no dataset and no checkpoint. The caller owns the result.
func (l Catalog) Preset(method, name string) (Config, error) {
	if method == "" {
		method = l.Methods[0].Name
	}
	of, err := l.Methods.Find(method)
	if err != nil {
		return Config{}, oneOf("method", method, l.Methods.Names())
	}
	if name == "" {
		name = of.Presets[0].Name
	}
	preset, known := of.Preset(name)
	if !known {
		return Config{}, oneOf("preset", name, of.PresetNames())
	}
	c := Config{
		Preset:      name,
		Method:      method,
		Device:      DeviceAuto,
		Precision:   PrecisionAuto,
		Model:       preset.Model(),
		Train:       trainOf(preset.Recipe),
		Data:        Data{Roots: map[string]Root{}, Pairing: map[string]string{}, MaxPixels: 200e6, Masks: MasksNearest, EXIFOrientation: EXIFAuto, Depth: DepthAuto, Cache: 1 << 30},
		Checkpoints: map[string][]string{},
		Models:      map[string]string{},
	}
	if preset.Loss != nil {
		c.Loss = preset.Loss()
	}
	return c, nil
}

// trainOf returns a method's recipe with everything else at its default.
func trainOf(r card.Recipe) Train {
	if r == (card.Recipe{}) {
		r = card.DefaultRecipe()
	}
	masks := MasksNearest
	if r.BilinearMasks {
		masks = MasksBilinear
	}
	return Train{
		Classes: []string{}, Validate: []string{}, Epochs: r.Epochs, Batch: r.Batch, LR: LR{Text: r.TextRate, Vision: r.VisionRate}, LRDecay: r.RateDecay,
		Beta1: r.Beta1, Decay: r.WeightDecay, Shuffle: r.Shuffle, Masks: masks, Mosaic: r.Mosaic, Augment: r.Augment, Accumulate: 1, FeatureCache: 2 << 30, FeatureFormat: FeaturesFP32, SaveMinutes: 10,
	}
}

func oneOf(key, text string, choices []string) *Error {
	return &Error{Key: key, Problem: notOneOf(text, choices), Nearest: spelling.Nearest(text, choices)}
}

// schemaOf returns the configuration's keys for a method.
func (l Catalog) schemaOf(of card.Card) *schema {
	preset := of.Presets[0]
	var loss section.Section
	if preset.Loss != nil {
		loss = preset.Loss()
	}
	s := schemaFor(preset.Model(), loss)
	s.child("method").choices = l.Methods.Names()
	s.child("preset").choices = of.PresetNames()
	if l.Precisions != nil {
		s.child("precision").choices = append([]string{string(PrecisionAuto), string(PrecisionFastest)}, l.Precisions...)
	}
	return s
}

// Clone returns a deep copy of a method's section; nil for nil.
func Clone[S section.Section](s S) S {
	from := reflect.ValueOf(s)
	if !from.IsValid() {
		return s
	}
	to := reflect.New(from.Type().Elem())
	to.Elem().Set(from.Elem())
	for _, option := range schemaOf(from.Type().Elem(), "").options() {
		if v := option.value(to); v.Kind() == reflect.Slice {
			v.Set(reflect.AppendSlice(reflect.MakeSlice(v.Type(), 0, v.Len()), v))
		}
	}
	return to.Interface().(S)
}

// sameSections reports whether two sections have the same type and so belong to the same method.
func sameSections(a, b section.Section) bool { return reflect.TypeOf(a) == reflect.TypeOf(b) }

// isSet reports whether a source has set a key or one below it.
func (l Loaded) isSet(key string) bool {
	return slices.ContainsFunc(schemaKeys(l.Set), func(set string) bool { return set == key || len(set) > len(key) && set[:len(key)+1] == key+"." })
}

func schemaKeys(set map[string]Origin) []string {
	var keys []string
	for key := range set {
		keys = append(keys, key)
	}
	return keys
}
