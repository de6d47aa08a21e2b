package options

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"acdclip/pkg/model/card"
)

var linearName = regexp.MustCompile(`^linear_layers\.fc\.(\d+)\.(weight|bias)$`)

// forerunner is the key of VAND-APRIL-GAN's files, whose layers have the same shapes but
// belong to a method with other prompts and without a second path.
const forerunner = "trainable_linearlayer."

// released recognises the linear layers that the authors' code saves. Their levels are not
// in the file: four layers go with the default, the ends of the four stages; for others,
// model.levels says them.
func released(file card.File) (*card.Released, error) {
	names := map[string]string{}
	for name := range file.Shapes {
		if strings.HasPrefix(name, forerunner) {
			return nil, errors.New("it is a file of VAND-APRIL-GAN, CLIP-AD's forerunner, which acdclip does not have")
		}
		if part := linearName.FindStringSubmatch(name); part != nil {
			names[fmt.Sprintf("linear.%s.%s", part[1], part[2])] = name
		}
	}
	if len(names) == 0 {
		return nil, nil
	}
	model := Default()
	model.Kind = SDPPlus
	return &card.Released{Preset: Released, Model: &model, Loss: &Loss{Focal: 1, Dice: 1}, Names: names, Auxiliary: auxiliaryOf(file.Name)}, nil
}

// auxiliaryOf returns the dataset that a file was trained on by the names that the authors
// publish; "" for other names.
func auxiliaryOf(name string) string {
	return map[string]string{"train_on_visa.pth": "VisA", "train_on_mvtec.pth": "MVTec"}[name]
}
