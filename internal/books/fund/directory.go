package fund

import (
	"context"
	"database/sql"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/org"
)

// Directory keeps a Snapshot of everything set up and renews it when it has grown old, so that a page
// or a settlement asks the database for none of it. Safe for concurrent use.
//
// What `konbit apply` changes shows after at most the directory's age. Who must not act on a fund
// closed seconds ago reads the fund in its own transaction instead.
type Directory struct {
	db  *sqlx.DB
	age time.Duration
	now func() time.Time

	held    atomic.Pointer[Snapshot]
	reading sync.Mutex
}

// NewDirectory is an empty directory over db whose snapshots live for age; the first Snapshot reads.
func NewDirectory(db *sqlx.DB, age time.Duration, now func() time.Time) *Directory {
	return &Directory{db: db, age: age, now: now}
}

// Snapshot is everything set up, as of at most the directory's age ago. While one caller renews it, the
// others get the old one and do not wait; only the very first reading makes everybody wait.
func (d *Directory) Snapshot(ctx context.Context) (*Snapshot, error) {
	if held := d.held.Load(); held != nil {
		if d.fresh(held) || !d.reading.TryLock() {
			return held, nil
		}
	} else {
		d.reading.Lock()
	}
	defer d.reading.Unlock()
	if held := d.held.Load(); held != nil && d.fresh(held) {
		return held, nil // another caller read it while this one waited
	}
	at := d.now()
	read, err := readSnapshot(ctx, d.db)
	if err != nil {
		return nil, err
	}
	read.at = at
	d.held.Store(read)
	return read, nil
}

func (d *Directory) fresh(s *Snapshot) bool { return d.now().Sub(s.at) < d.age }

// Snapshot is all entities, organisations and funds of one moment. It never changes; what it answers is
// shared, so callers change none of it.
type Snapshot struct {
	*org.Register
	at         time.Time
	byID       map[uuid.UUID]Fund
	open       map[uuid.UUID][]Fund // by organisation, in order
	operations map[uuid.UUID]Fund   // by entity
}

// readSnapshot reads in one transaction, so that no organisation appears without its funds.
func readSnapshot(ctx context.Context, db *sqlx.DB) (*Snapshot, error) {
	tx, err := db.BeginTxx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer tx.Rollback() //nolint:errcheck // it only read
	register, err := org.ReadRegister(ctx, tx)
	if err != nil {
		return nil, err
	}
	funds, err := All(ctx, tx)
	if err != nil {
		return nil, err
	}
	return newSnapshot(register, funds), nil
}

// newSnapshot takes the funds in their order.
func newSnapshot(register *org.Register, funds []Fund) *Snapshot {
	s := &Snapshot{
		Register: register, byID: map[uuid.UUID]Fund{}, open: map[uuid.UUID][]Fund{}, operations: map[uuid.UUID]Fund{},
	}
	for _, f := range funds {
		s.byID[f.ID] = f
		switch {
		case f.Code == Operations:
			s.operations[f.EntityID] = f
		case f.Open():
			s.open[f.OrganisationID] = append(s.open[f.OrganisationID], f)
		}
	}
	return s
}

// Open lists the open funds of an organisation in their order.
func (s *Snapshot) Open(organisation uuid.UUID) []Fund { return s.open[organisation] }

// Fund is the fund of that id, open or closed, or a fault.NotFound.
func (s *Snapshot) Fund(id uuid.UUID) (Fund, error) { return found(s.byID, id) }

// Operations is the operations fund of the entity, or a fault.NotFound.
func (s *Snapshot) Operations(entity uuid.UUID) (Fund, error) { return found(s.operations, entity) }

func found(funds map[uuid.UUID]Fund, id uuid.UUID) (Fund, error) {
	if f, ok := funds[id]; ok {
		return f, nil
	}
	return Fund{}, notFound()
}
