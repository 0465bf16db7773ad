package mailcatch

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// save writes ID.json with the envelope and then ID.eml with the bytes. A message exists only if ID.eml exists.
func save(dir string, m Message) error {
	if dir == "" {
		return nil
	}
	about, err := json.Marshal(m)
	if err != nil {
		return err
	}
	path := filepath.Join(dir, m.ID)
	return errors.Join(writeWhole(path+".json", about), writeWhole(path+".eml", m.Raw))
}

// writeWhole writes the whole file or nothing.
func writeWhole(path string, content []byte) error {
	part := path + ".part"
	if err := os.WriteFile(part, content, 0o600); err != nil {
		return err
	}
	return os.Rename(part, path)
}

// load returns the messages of a directory, oldest first.
func load(dir string) ([]Message, error) {
	if dir == "" {
		return nil, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	paths, err := filepath.Glob(filepath.Join(dir, "*.eml"))
	if err != nil {
		return nil, err
	}
	var kept []Message
	for _, path := range paths {
		var m Message
		raw, rawErr := os.ReadFile(path)
		about, aboutErr := os.ReadFile(path[:len(path)-len(".eml")] + ".json")
		if err := errors.Join(rawErr, aboutErr); err != nil {
			return nil, err
		}
		if err := json.Unmarshal(about, &m); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		m.Raw = raw
		kept = append(kept, m)
	}
	slices.SortStableFunc(kept, func(a, b Message) int {
		return cmp.Or(a.Received.Compare(b.Received), cmp.Compare(len(a.ID), len(b.ID)), cmp.Compare(a.ID, b.ID))
	})
	return kept, nil
}
