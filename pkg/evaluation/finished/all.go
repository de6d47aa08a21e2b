package finished

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// ErrNoShares reports a folder that does not hold all shares of an evaluation.
var ErrNoShares = errors.New("not all shares of an evaluation are there")

// shareFolder matches the names that Share.Folder returns.
var shareFolder = regexp.MustCompile(`^shard-\d+-of-\d+$`)

// Folders lists the names of the shares' folders in path.
func Folders(path string) ([]string, error) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, fmt.Errorf("looking for shares: %w", err)
	}
	var names []string
	for _, entry := range entries {
		if shareFolder.MatchString(entry.Name()) {
			names = append(names, entry.Name())
		}
	}
	return names, nil
}

// OpenAll opens the folders of all shares of an evaluation, in the order of the shares.
// They are below path and have the names that Share.Folder returns. The error wraps
// ErrNoShares if one is missing, and ErrDiffers if one belongs to another evaluation.
func OpenAll(path string) ([]*Folder, error) {
	names, err := Folders(path)
	if err != nil {
		return nil, err
	}
	byIndex := map[int]*Folder{}
	var first *Folder
	for _, found := range names {
		folder, err := openShare(filepath.Join(path, found))
		if err != nil {
			return nil, err
		}
		if first == nil {
			first = folder
		}
		if err := first.Plan.Joins(&folder.Plan); err != nil {
			return nil, fmt.Errorf("shares %s and %s in %s: %w", first.Plan.Share, folder.Plan.Share, path, err)
		}
		if name := folder.Plan.Share.Folder(); found != name {
			return nil, fmt.Errorf("%w: %s holds share %s; rename the folder to %s, or remove it if it is a copy", ErrDiffers, filepath.Join(path, found), folder.Plan.Share, name)
		}
		byIndex[folder.Plan.Share.Index] = folder
	}
	if first == nil {
		return nil, fmt.Errorf("%w: %s has no folder shard-1-of-N; create it with `acdclip eval --shard 1/N`", ErrNoShares, path)
	}
	var shares []*Folder
	var missing []string
	for index := 1; index <= first.Plan.Share.Of; index++ {
		if byIndex[index] == nil {
			missing = append(missing, Share{Index: index, Of: first.Plan.Share.Of}.String())
		}
		shares = append(shares, byIndex[index])
	}
	if missing != nil {
		return nil, fmt.Errorf("%w: %s lacks %s", ErrNoShares, path, strings.Join(missing, ", "))
	}
	return shares, nil
}

// openShare opens the folder of a share that was started.
func openShare(path string) (*Folder, error) {
	folder, err := Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%w: %s is the folder of a share that was not started; start it with `acdclip eval --shard I/N ... --resume`", ErrNoShares, path)
	case err != nil:
		return nil, err
	case folder.Plan.Share.IsWhole():
		return nil, fmt.Errorf("%w: %s holds a whole evaluation, not a share", ErrNoShares, path)
	}
	return folder, nil
}
