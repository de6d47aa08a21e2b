// Package published lists weights that others publish and that this program downloads on
// request: where they are, how large, under which licence, and the SHA-256 that their
// content must have. It says where a downloaded file is kept, and finds it by its name,
// such as openai:ViT-L/14@336. It opens no connection.
package published

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"al.essio.dev/pkg/shellescape"

	"acdclip/pkg/present"
	"acdclip/pkg/spelling"
)

// Kind is what an entry's file holds.
type Kind string

// The kinds.
const (
	CLIP       Kind = "CLIP"
	Checkpoint Kind = "checkpoint" // a method's trained parameters
)

// Entry is one file.
type Entry struct {
	Name      string   // SCHEME:NAME
	Kind      Kind     //
	For       []string // the methods that it was made for or that were made for it
	Note      string   // what else tells it from others, in a few words; may be ""
	Publisher string   //
	Page      string   // the publisher's page about it
	Licence   string   // SPDX identifier
	URL       string   // https
	Size      int64    // in bytes
	About     bool     // Size is an estimate, at most a tenth too small: the exact size is not known
	SHA256    string   // 64 lower-case hexadecimal digits
	Hub       []string // names of the same weights on Hugging Face

	// Of a Checkpoint. Its file is kept in this program's format.
	Auxiliary string // the dataset that it was trained on
	Epoch     int    // epochs trained
}

// Errors of this package, wrapped with context.
var (
	ErrUnknown    = errors.New("unknown weights")
	ErrNotFetched = errors.New("is not downloaded yet")
	ErrMirror     = errors.New("weights.mirror is not the http or https address of a server")
)

// Table is a list of entries.
type Table []Entry

// Find returns the entry with that name. Otherwise the error wraps ErrUnknown and names
// the nearest entry, or those of the same scheme.
func (t Table) Find(name string) (Entry, error) {
	var names, lower, same []string
	for _, e := range t {
		if e.Name == name {
			return e, nil
		}
		names, lower = append(names, e.Name), append(lower, strings.ToLower(e.Name))
		if scheme, _, _ := strings.Cut(e.Name, ":"); strings.HasPrefix(name, scheme+":") {
			same = append(same, e.Name)
		}
	}
	text := "`acdclip weights list` shows all"
	if hub, ok := t.OnHub(name); ok {
		text = fmt.Sprintf("did you mean %s?", hub.Name)
	} else if near := spelling.Nearest(name, lower); near != "" {
		text = fmt.Sprintf("did you mean %s?", names[slices.Index(lower, near)])
	} else if len(same) > 0 {
		text = "there are " + strings.Join(same, ", ")
	}
	return Entry{}, fmt.Errorf("%w %q (%s)", ErrUnknown, name, text)
}

// IsName reports whether a text is the name of published weights by its form, SCHEME:NAME
// with a scheme of the table, even if there is no such entry.
func IsName(text string) bool {
	scheme, _, ok := strings.Cut(text, ":")
	return ok && slices.ContainsFunc(All(), func(e Entry) bool { return strings.HasPrefix(e.Name, scheme+":") })
}

// OnHub returns the entry with the weights that Hugging Face has under that name.
func (t Table) OnHub(name string) (Entry, bool) {
	return t.first(func(e Entry) bool {
		return slices.ContainsFunc(e.Hub, func(hub string) bool { return strings.EqualFold(hub, name) })
	})
}

// InFile returns the entry whose publisher gives the file that name.
func (t Table) InFile(name string) (Entry, bool) {
	return t.first(func(e Entry) bool { return e.Kind == CLIP && e.file() == name })
}

// MadeFor lists the names of the entries of a kind for a method.
func (t Table) MadeFor(method string, kind Kind) []string {
	var names []string
	for _, e := range t {
		if e.Kind == kind && slices.Contains(e.For, method) {
			names = append(names, e.Name)
		}
	}
	return names
}

// Hint says which checkpoints for a method can be had by name, to follow after another way
// to get one; "" for none.
func (t Table) Hint(method string) string {
	names := t.MadeFor(method, Checkpoint)
	if names == nil {
		return ""
	}
	return fmt.Sprintf(", or %s (see `acdclip weights list`)", strings.Join(names, " or "))
}

func (t Table) first(is func(Entry) bool) (Entry, bool) {
	if i := slices.IndexFunc(t, is); i >= 0 {
		return t[i], true
	}
	return Entry{}, false
}

// file is the publisher's name of the file.
func (e Entry) file() string { return path.Base(e.URL) }

// Bytes is the size in words, such as "934.1 MB" or "about 0.8 GB".
func (e Entry) Bytes() string {
	switch gigabytes := float64(e.Size) / 1e9; {
	case e.About:
		return fmt.Sprintf("about %.1f GB", gigabytes)
	case gigabytes >= 1:
		return fmt.Sprintf("%.1f GB", gigabytes)
	}
	return fmt.Sprintf("%.1f MB", float64(e.Size)/1e6)
}

// Command is the command line that downloads the entry into a folder as the configuration
// names it, "" for the default.
func (e Entry) Command(configured string) string {
	command := "acdclip weights fetch " + e.Name
	if configured != "" {
		command += " --cache " + shellescape.Quote(configured)
	}
	return command
}

// Folder returns the folder of downloaded weights: the configured one, or without any the
// user's, which is $XDG_CACHE_HOME/acdclip/weights or ~/.cache/acdclip/weights on Linux.
func Folder(configured string) (string, error) {
	if configured != "" {
		return configured, nil
	}
	user, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("finding the folder of downloaded weights: %w; set weights.cache", err)
	}
	return filepath.Join(user, "acdclip", "weights"), nil
}

// Download is where the publisher's file lies below the folder of downloaded weights, in a
// folder of its own: a CLIP's format and configuration are found by the names around it.
func (e Entry) Download(folder string) string {
	scheme, name, _ := strings.Cut(e.Name, ":")
	return filepath.Join(folder, scheme, strings.ReplaceAll(name, "/", "-"), e.file())
}

// Path is where the file lies that the program uses: the publisher's, or what a
// checkpoint's was converted to.
func (e Entry) Path(folder string) string {
	file := e.Download(folder)
	if e.Kind == Checkpoint {
		return strings.TrimSuffix(file, filepath.Ext(file)) + ".safetensors"
	}
	return file
}

// Address is the URL to download from: the publisher's, or that of a mirror, an http or
// https address that stands for the publisher's scheme and host. An error wraps ErrMirror.
func (e Entry) Address(mirror string) (string, error) {
	if mirror == "" {
		return e.URL, nil
	}
	base, err := url.Parse(mirror)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" || base.RawQuery != "" || base.Fragment != "" {
		return "", fmt.Errorf("%w: %q", ErrMirror, mirror)
	}
	publisher, err := url.Parse(e.URL)
	if err != nil {
		return "", fmt.Errorf("the address of %s: %w", e.Name, err)
	}
	return base.JoinPath(publisher.Path).String(), nil
}

// Locate returns the path of the weights with that name and kind in the folder that the
// configuration names, "" for the default. The error says what to do: it wraps ErrUnknown
// or ErrNotFetched.
func (t Table) Locate(name string, kind Kind, configured string) (string, error) {
	e, err := t.Find(name)
	if err == nil && e.Kind != kind {
		err = fmt.Errorf("%w: %s is a %s, not a %s", ErrUnknown, name, e.Kind, kind)
	}
	if err != nil {
		return "", err
	}
	folder, err := Folder(configured)
	if err != nil {
		return "", err
	}
	if path := e.Path(folder); present.File(path) {
		return path, nil
	}
	return "", fmt.Errorf("%s %w (%s); run: %s", name, ErrNotFetched, e.Bytes(), e.Command(configured))
}
