package list

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// collector gathers the rows, faults and oddities that the format readers find.
type collector struct {
	list    *List
	keys    keys
	maxRows int
	names   map[string]string // interned names of classes and defects
	faults  []string          // the first maxFaults faults
	count   int               // the number of all faults
}

func newCollector(format Format, maxRows int) *collector {
	return &collector{list: &List{Format: format}, keys: format.keys(), maxRows: maxRows, names: map[string]string{}}
}

// keys are a format's names of a row's fields, for error messages.
type keys struct{ image, mask, class, defect string }

func (f Format) keys() keys {
	switch f {
	case Meta:
		return keys{image: "img_path", mask: "mask_path", class: "cls_name", defect: "specie_name"}
	case VisATable:
		return keys{image: "image", mask: "mask", class: "object"}
	}
	return keys{image: "image_path", mask: "mask_path", class: "class_name"}
}

// maxFaults is the maximum number of faults that an error lists.
const maxFaults = 5

// fault records an error in a line.
func (c *collector) fault(line int, what string) {
	if c.count++; c.count <= maxFaults {
		c.faults = append(c.faults, fmt.Sprintf("line %d: %s", line, what))
	}
}

// odd records an unusual but readable form in a line.
func (c *collector) odd(line int, text string) {
	for i := range c.list.Oddities {
		if c.list.Oddities[i].Text == text {
			c.list.Oddities[i].Count++
			return
		}
	}
	c.list.Oddities = append(c.list.Oddities, Oddity{Text: text, Count: 1, Line: line})
}

// add checks a row of the list and appends it.
func (c *collector) add(row Row) error {
	if len(c.list.Rows) == c.maxRows {
		return fmt.Errorf("%w: line %d: more than %d rows", ErrBadRow, row.Line, c.maxRows)
	}
	row.Image = c.slashes(row.Image, row.Line)
	if row.Anomalous {
		row.Mask = c.slashes(row.Mask, row.Line)
	} else {
		row.Mask, row.Defect = "", ""
	}
	if what := row.fault(c.keys); what != "" {
		c.fault(row.Line, what)
		return nil
	}
	row.Class, row.Defect = c.shared(row.Class), c.shared(row.Defect)
	c.list.Rows = append(c.list.Rows, row)
	return nil
}

func (c *collector) slashes(path string, line int) string {
	if !strings.Contains(path, `\`) {
		return path
	}
	c.odd(line, "backslashes in a path")
	return strings.ReplaceAll(path, `\`, "/")
}

// maxShared limits the interned names of a list in which every row has its own class.
const maxShared = 10_000

// shared interns a name: equal names share memory, and the line it came from can be freed.
func (c *collector) shared(name string) string {
	if known, ok := c.names[name]; ok {
		return known
	}
	name = strings.Clone(name)
	if len(c.names) < maxShared {
		c.names[name] = name
	}
	return name
}

func (c *collector) result() (*List, error) {
	text := strings.Join(c.faults, "; ")
	switch {
	case c.count > maxFaults:
		return nil, fmt.Errorf("%w: %s; and %d more", ErrBadRow, text, c.count-maxFaults)
	case c.count > 0:
		return nil, fmt.Errorf("%w: %s", ErrBadRow, text)
	case len(c.list.Rows) == 0:
		return nil, ErrNoRows
	}
	return c.list, nil
}

// fault describes the error in a row; "" if there is none.
func (r *Row) fault(k keys) string {
	switch {
	case r.Image == "":
		return k.image + " is missing or empty; expected the picture's path"
	case r.Class == "":
		return k.class + " is missing or empty; expected the class's name"
	}
	for _, part := range [...]struct{ key, text string }{{k.image, r.Image}, {k.mask, r.Mask}, {k.class, r.Class}, {k.defect, r.Defect}} {
		switch {
		case len(part.text) > maxName:
			return fmt.Sprintf("%s is longer than %d bytes", part.key, maxName)
		case !utf8.ValidString(part.text):
			return part.key + " is not UTF-8"
		case strings.ContainsFunc(part.text, unicode.IsControl):
			return fmt.Sprintf("%s %s contains a control character", part.key, shown(part.text))
		}
	}
	return ""
}

// shown quotes a text of the list for an error message.
func shown(text string) string { return strconv.Quote(cut(text)) }

// cut shortens a long text for an error message.
func cut(text string) string {
	const most = 60
	if letters := []rune(text); len(letters) > most {
		return string(letters[:most]) + "..."
	}
	return text
}
