package report

import (
	"bufio"
	"errors"
	"io"
	"unicode/utf8"
)

// byteOrderMark at the start of a CSV file tells Excel that the file is UTF-8.
const byteOrderMark = "\ufeff"

// NeedsByteOrderMark reports whether a CSV file has letters that Excel would show as others
// without a byte-order mark: some are not ASCII, and there is no mark.
func NeedsByteOrderMark(r io.Reader) (bool, error) {
	content := bufio.NewReader(r)
	if start, _ := content.Peek(len(byteOrderMark)); string(start) == byteOrderMark {
		return false, nil
	}
	for {
		b, err := content.ReadByte()
		switch {
		case errors.Is(err, io.EOF):
			return false, nil
		case err != nil:
			return false, err
		case b >= utf8.RuneSelf:
			return true, nil
		}
	}
}

// CopyWithByteOrderMark writes a byte-order mark and a file's content.
func CopyWithByteOrderMark(w io.Writer, r io.Reader) error {
	if _, err := io.WriteString(w, byteOrderMark); err != nil {
		return err
	}
	_, err := io.Copy(w, r)
	return err
}
