package stripefake

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// snapshot is the content of the state file.
type snapshot struct {
	Seed     uint64
	Serial   uint64
	Offset   time.Duration
	History  *history `json:",omitempty"`
	Accounts []*account
	Due      schedule
	Journal  uint64 // the journal that continues it
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

// load reads the snapshot and the journals that continue it, and opens a new journal. The state is empty if there are
// no files.
func (s *Server) load() error {
	if s.opts.StatePath == "" {
		return nil
	}
	snap, err := s.readSnapshot()
	if err != nil {
		return err
	}
	s.journal.oldest = snap.Journal
	next, err := s.replay(snap.Journal)
	if err != nil {
		return err
	}
	s.serial += serialGap
	for _, a := range s.accounts {
		a.handed = newHandedOut()
		for id, endpoints := range a.Pending {
			if s.history.includes(a.get("event", id).num("created")) {
				continue
			}
			for _, endpoint := range endpoints {
				s.sender.send(a, id, endpoint)
			}
		}
	}
	if s.history != nil && s.history.Told {
		s.tell()
	}
	return s.openJournal(next)
}

func (s *Server) readSnapshot() (snap snapshot, err error) {
	raw, err := os.ReadFile(s.opts.StatePath)
	if errors.Is(err, fs.ErrNotExist) {
		return snap, nil
	}
	if err != nil {
		return snap, fmt.Errorf("stand-in: read state: %w", err)
	}
	if err := json.Unmarshal(raw, &snap); err != nil {
		return snap, fmt.Errorf("stand-in: state file %s is damaged (remove it to start with an empty state): %w", s.opts.StatePath, err)
	}
	s.seed, s.serial, s.offset, s.accounts, s.due, s.history = snap.Seed, snap.Serial, snap.Offset, snap.Accounts, snap.Due, snap.History
	return snap, nil
}

// save begins a new journal and replaces the snapshot by one of the present state, if the snapshot lacks a change. A
// crash leaves the old snapshot with all its journals, or the new one.
func (s *Server) save() error {
	s.mu.Lock()
	if !s.journal.unsaved && !s.dirty || s.journal.file == nil {
		s.mu.Unlock()
		return nil
	}
	err := s.record() // of a change that was made outside of a locked section
	next := s.journal.number + 1
	slices.SortFunc(s.due, func(a, b scheduledTask) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Sequence, b.Sequence))
	}) // is a heap too
	for _, a := range s.accounts { // a look-up makes an empty one
		maps.DeleteFunc(a.Collections, func(_ string, sh *collection) bool { return len(sh.items) == 0 })
	}
	raw, marshalErr := json.Marshal(snapshot{Seed: s.seed, Serial: s.serial, Offset: s.offset, History: s.history, Accounts: s.accounts,
		Due: s.due, Journal: next})
	if err = errors.Join(err, marshalErr); err == nil {
		err = s.openJournal(next)
	}
	s.mu.Unlock()
	if err == nil {
		err = s.replaceSnapshot(raw)
	}
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.journal.unsaved = s.journal.size > 0
	for ; s.journal.oldest < next; s.journal.oldest++ {
		if err := os.Remove(s.journalPath(s.journal.oldest)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func (s *Server) replaceSnapshot(raw []byte) error {
	file, err := os.CreateTemp(filepath.Dir(s.opts.StatePath), ".stripefake-*")
	if err != nil {
		return err
	}
	_, err = file.Write(raw)
	if err = errors.Join(err, file.Sync(), file.Close()); err == nil {
		err = os.Rename(file.Name(), s.opts.StatePath)
	}
	if err != nil {
		_ = os.Remove(file.Name())
	}
	return err
}
