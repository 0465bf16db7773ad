package stripefake

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// snapshot is the content of the state file.
type snapshot struct {
	Seed     uint64
	Serial   uint64
	Offset   time.Duration
	Accounts []*account
	Due      schedule
}

// MarshalJSON writes a collection as a list.
func (sh *collection) MarshalJSON() ([]byte, error) {
	return json.Marshal(append([]object{}, sh.items...))
}

// UnmarshalJSON reads such a list.
func (sh *collection) UnmarshalJSON(raw []byte) error {
	var items []object
	if err := json.Unmarshal(raw, &items); err != nil {
		return err
	}
	sh.at = make(map[string]int, len(items))
	for _, o := range items {
		sh.put(o)
	}
	return nil
}

// load reads the state file. The state is empty if there is no file.
func (s *Server) load() error {
	if s.opts.StatePath == "" {
		return nil
	}
	raw, err := os.ReadFile(s.opts.StatePath)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("stand-in: read state: %w", err)
	}
	var snap snapshot
	if err := json.Unmarshal(raw, &snap); err != nil {
		return fmt.Errorf("stand-in: state file %s is damaged (remove it to start with an empty state): %w", s.opts.StatePath, err)
	}
	s.seed, s.serial, s.offset, s.accounts, s.due = snap.Seed, snap.Serial, snap.Offset, snap.Accounts, snap.Due
	for _, a := range s.accounts {
		for id, endpoints := range a.Pending {
			for _, endpoint := range endpoints {
				s.sender.send(a, id, endpoint)
			}
		}
	}
	return nil
}

// save replaces the state file if anything changed since the last save. A crash leaves the old file or the new one.
func (s *Server) save() error {
	s.mu.Lock()
	if !s.dirty || s.opts.StatePath == "" {
		s.mu.Unlock()
		return nil
	}
	s.dirty = false
	raw, err := json.Marshal(snapshot{Seed: s.seed, Serial: s.serial, Offset: s.offset, Accounts: s.accounts, Due: s.due})
	s.mu.Unlock()
	if err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(s.opts.StatePath), ".stripefake-*")
	if err != nil {
		return err
	}
	_, err = file.Write(raw)
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(file.Name(), s.opts.StatePath)
	}
	if err != nil {
		_ = os.Remove(file.Name())
	}
	return err
}
