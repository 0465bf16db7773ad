package stripefake

import (
	"bufio"
	"bytes"
	"container/heap"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"time"
)

// The state on disk is a snapshot (StatePath) and the journals that continue it (StatePath.N.log). Every change is
// appended to the newest journal and synced before the lock is released, and so before an answer reports it: what was
// answered survives SIGKILL. If a change cannot be written, because the disk is full for a moment, the call fails, and
// the change stays pending until it is written before the next one.
//
//	snapshot, names journal N ──▶ journal N ──▶ journal N+1 … the newest
//
// A new snapshot begins with a new journal; when it has replaced the old one, the older journals are deleted.

// maxJournal is the size of a journal in bytes after which a snapshot replaces it.
const maxJournal = 4 << 20

// serialGap is how many serial numbers a start leaves out, so that no id is used again that was answered and not
// stored, such as that of a request which changed nothing.
const serialGap = 1 << 20

// journalLine is one line of a journal: what one locked section changed.
type journalLine struct {
	Serial   uint64
	Offset   time.Duration
	Pushed   []scheduledTask `json:",omitempty"` // added to the schedule
	Popped   []uint64        `json:",omitempty"` // sequences of tasks that have run
	Accounts []accountChange `json:",omitempty"`
}

// accountChange is the present state of everything of an account that may have changed.
type accountChange struct {
	Account
	ID      string
	Objects []objectOf          `json:",omitempty"`
	Secrets map[string][]string `json:",omitempty"` // an empty list is none
	Pending map[string][]string `json:",omitempty"` // the same
	Answers map[string]*answer  `json:",omitempty"` // null: forgotten
}

// objectOf is an object of a collection.
type objectOf struct {
	Kind   string
	Object object
}

// handedOut is what the present locked section got from an account and may have changed.
type handedOut struct {
	objects map[string]string // kinds by id
	order   []string          // ids in the order in which they were handed out; new objects keep this order
	answers map[string]bool   // by idempotency key
}

// journal is the newest journal of a server. Server.mu guards it.
type journal struct {
	file    journalFile
	number  uint64
	oldest  uint64 // the first one that may exist on disk
	size    int64  // of what was written and synced: whole lines
	pending []byte // lines that could not be written, which follow
	pushed  []scheduledTask
	popped  []uint64
	unsaved bool // the newest snapshot lacks a change
}

// journalFile is what a journal needs of an *os.File.
type journalFile interface {
	io.WriterAt
	Sync() error
	Close() error
}

func (s *Server) journalPath(number uint64) string {
	return fmt.Sprintf("%s.%d.log", s.opts.StatePath, number)
}

// touch records that an object was handed out. Accounts of a server without a state file do not record.
func (a *account) touch(kind, id string) {
	if a.handed == nil {
		return
	}
	if _, known := a.handed.objects[id]; !known {
		a.handed.objects[id] = kind
		a.handed.order = append(a.handed.order, id)
	}
}

func (a *account) touchAnswer(key string) {
	if a.handed != nil {
		a.handed.answers[key] = true
	}
}

func newHandedOut() *handedOut {
	return &handedOut{objects: map[string]string{}, answers: map[string]bool{}}
}

// unlock writes what changed under the lock to the journal, and releases the lock.
func (s *Server) unlock() { _ = s.recordAndUnlock() }

// recordAndUnlock is unlock, and reports an error if the change was not written. It has logged the error.
func (s *Server) recordAndUnlock() (err error) {
	defer s.mu.Unlock()
	if s.journal.file == nil {
		return nil
	}
	if err = s.record(); err != nil {
		s.log.Error("stand-in: a change was not written", "error", err)
	}
	return err
}

// record appends one line if anything changed since the lock was taken, after the lines that are pending.
func (s *Server) record() error {
	dirty := s.dirty || len(s.journal.pushed)+len(s.journal.popped) > 0 ||
		slices.ContainsFunc(s.accounts, func(a *account) bool { return len(a.handed.answers) > 0 })
	s.dirty = false
	c := journalLine{Serial: s.serial, Offset: s.offset, Pushed: s.journal.pushed, Popped: s.journal.popped}
	s.journal.pushed, s.journal.popped = nil, nil
	for _, a := range s.accounts {
		if dirty {
			c.Accounts = append(c.Accounts, a.changed())
		}
		a.handed = newHandedOut()
	}
	if dirty {
		s.journal.unsaved = true
		line, err := json.Marshal(c)
		if err != nil {
			return err
		}
		s.journal.pending = append(append(s.journal.pending, line...), '\n')
	}
	return s.journal.flush()
}

// flush writes and syncs the pending lines. If that fails, they stay pending: the next flush writes over the part of
// them that was written, so no line follows a half one.
func (j *journal) flush() error {
	if len(j.pending) == 0 {
		return nil
	}
	if _, err := j.file.WriteAt(j.pending, j.size); err != nil {
		return err
	}
	if err := j.file.Sync(); err != nil {
		return err
	}
	j.size, j.pending = j.size+int64(len(j.pending)), nil
	return nil
}

// changed returns everything that was handed out, as it is now.
func (a *account) changed() accountChange {
	c := accountChange{Account: a.Account, ID: a.ID, Secrets: map[string][]string{}, Pending: map[string][]string{}, Answers: map[string]*answer{}}
	for _, id := range a.handed.order {
		kind := a.handed.objects[id]
		sh := a.collection(kind)
		c.Objects = append(c.Objects, objectOf{kind, sh.items[sh.at[id]]})
		switch kind {
		case "event":
			c.Pending[id] = a.Pending[id]
		case "webhook_endpoint":
			c.Secrets[id] = a.Secrets[id]
		}
	}
	for key := range a.handed.answers {
		c.Answers[key] = a.Answers[key]
	}
	return c
}

// replay applies the journals from number on, oldest first, and returns the number of the next one. A last line that was
// cut by a crash was not answered; it is left out.
func (s *Server) replay(number uint64) (next uint64, err error) {
	for ; ; number++ {
		raw, err := os.ReadFile(s.journalPath(number))
		if errors.Is(err, fs.ErrNotExist) {
			return number, nil
		}
		if err != nil {
			return 0, fmt.Errorf("stand-in: read journal: %w", err)
		}
		lines := bufio.NewReader(bytes.NewReader(raw))
		for {
			line, err := lines.ReadBytes('\n')
			if errors.Is(err, io.EOF) {
				break
			}
			var c journalLine
			if err = json.Unmarshal(line, &c); err != nil {
				return 0, fmt.Errorf("stand-in: journal %s is damaged (remove it and %s to start with an empty state): %w",
					s.journalPath(number), s.opts.StatePath, err)
			}
			s.apply(c)
			s.journal.unsaved = true
		}
	}
}

func (s *Server) apply(c journalLine) {
	s.serial, s.offset = c.Serial, c.Offset
	s.due = slices.DeleteFunc(append(s.due, c.Pushed...), func(t scheduledTask) bool { return slices.Contains(c.Popped, t.Sequence) })
	heap.Init(&s.due)
	for _, changed := range c.Accounts {
		a := s.accountFor(changed.SecretKey, changed.Name)
		a.Account, a.ID = changed.Account, changed.ID
		for _, o := range changed.Objects {
			sh, id := a.collection(o.Kind), o.Object.str("id")
			if i, known := sh.at[id]; known {
				sh.items[i] = o.Object
			} else {
				sh.put(o.Object)
			}
		}
		set(a.Secrets, changed.Secrets)
		set(a.Pending, changed.Pending)
		for key, old := range changed.Answers {
			if a.Answers[key] = old; old == nil {
				delete(a.Answers, key)
			}
		}
	}
	s.serial = c.Serial // accountFor may have made an id
}

// set copies entries; an empty one is deleted.
func set(to, changes map[string][]string) {
	for key, values := range changes {
		if to[key] = values; len(values) == 0 {
			delete(to, key)
		}
	}
}

// openJournal opens a new journal as the newest. The caller holds the lock.
func (s *Server) openJournal(number uint64) error {
	file, err := os.OpenFile(s.journalPath(number), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if s.journal.file != nil {
		err = s.journal.file.Close()
	}
	s.journal.file, s.journal.number, s.journal.size = file, number, 0
	return err
}
