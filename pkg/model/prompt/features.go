package prompt

import (
	"errors"
	"fmt"

	"acdclip/cgo/torch"
	"acdclip/pkg/domain"
	"acdclip/pkg/model"
)

// Features are the text features of K classes of one domain.
type Features struct {
	Text   torch.Tensor // [K, ...]
	Domain domain.Domain
}

// ErrNoClasses reports an empty list of classes.
var ErrNoClasses = errors.New("no classes were given")

// errOtherMethod reports a Prepared of another type.
var errOtherMethod = errors.New("the classes were prepared by another method")

// Prepare makes Features of classes from the text of each, [...], which encode computes by
// the class's prompt name and which belongs to its scope; see model.Method.
func Prepare(s *torch.Scope, classes domain.Classes, encode func(s *torch.Scope, name string) (torch.Tensor, error)) (model.Prepared, error) {
	if len(classes.Prompts) == 0 {
		return nil, ErrNoClasses
	}
	features := Features{Domain: classes.Domain}
	err := s.Within(func(inner *torch.Scope) error {
		rows := make([]torch.Tensor, len(classes.Prompts))
		for i, name := range classes.Prompts {
			var err error
			if rows[i], err = encode(inner, name); err != nil {
				return err
			}
		}
		features.Text = s.Keep(torch.Stack(0, rows...))
		return nil
	})
	if err != nil {
		return nil, err
	}
	return features, nil
}

// of returns the Features that a method prepared.
func of(prepared model.Prepared) (Features, error) {
	features, ok := prepared.(Features)
	if !ok {
		return Features{}, errOtherMethod
	}
	return features, nil
}

// Join concatenates Features of one domain; see model.Method. The result belongs to s.
func Join(s *torch.Scope, parts []model.Prepared) (model.Prepared, error) {
	var texts []torch.Tensor
	var joined Features
	for _, part := range parts {
		features, err := of(part)
		switch {
		case err != nil:
			return nil, err
		case texts != nil && features.Domain != joined.Domain:
			return nil, fmt.Errorf("cannot join classes of the domains %s and %s", joined.Domain, features.Domain)
		}
		joined.Domain = features.Domain
		texts = append(texts, features.Text)
	}
	if texts == nil {
		return nil, ErrNoClasses
	}
	joined.Text = s.Eval(func() torch.Tensor { return torch.Cat(0, texts...) })
	return joined, nil
}

// For returns the Features that a method prepared and the text [B, ...] of the class of each
// of B pictures, which must be [B, 3, size, size].
func For(s *torch.Scope, prepared model.Prepared, pictures torch.Tensor, size int, classOf []int) (Features, torch.Tensor, error) {
	features, err := of(prepared)
	if err != nil {
		return Features{}, torch.Tensor{}, err
	}
	if err := model.CheckPictures(pictures, size, len(classOf)); err != nil {
		return Features{}, torch.Tensor{}, err
	}
	text, err := features.Choose(s, classOf)
	return features, text, err
}

// Choose returns the text of each picture's class, [B, ...].
func (f Features) Choose(s *torch.Scope, classOf []int) (torch.Tensor, error) {
	index := make([]int64, len(classOf))
	for i, class := range classOf {
		if class < 0 || int64(class) >= f.Text.Dim(0) {
			return torch.Tensor{}, fmt.Errorf("picture %d has class index %d, but %d classes were prepared", i, class, f.Text.Dim(0))
		}
		index[i] = int64(class)
	}
	return f.Text.IndexSelect(0, s.FromInt64(index, int64(len(index)))), nil
}
