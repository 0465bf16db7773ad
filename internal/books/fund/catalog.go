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
	"konbit/internal/platform/phrase"
)

// CatalogCache holds the current Catalog in memory, so that a page or a settlement reads it without a query.
// It reads the catalog again when it is older than a given age. It is safe for concurrent use.
//
// A change made by `konbit apply` is visible after at most that age. Code that must not act on a fund closed
// seconds ago reads the fund in its own transaction instead.
type CatalogCache struct {
	db  *sqlx.DB
	age time.Duration
	now func() time.Time

	current atomic.Pointer[Catalog]
	reading sync.Mutex
}

// NewCatalogCache returns an empty cache over db whose catalogs are used for at most age. The first call of
// Current reads the database.
func NewCatalogCache(db *sqlx.DB, age time.Duration, now func() time.Time) *CatalogCache {
	return &CatalogCache{db: db, age: age, now: now}
}

// Current returns a catalog that was read at most the cache's age ago. While one caller reads a new one, the
// other callers get the old one without waiting; they wait only if no catalog was read yet.
func (d *CatalogCache) Current(ctx context.Context) (*Catalog, error) {
	if current := d.current.Load(); current != nil {
		if d.fresh(current) || !d.reading.TryLock() {
			return current, nil
		}
	} else {
		d.reading.Lock()
	}
	defer d.reading.Unlock()
	if current := d.current.Load(); current != nil && d.fresh(current) {
		return current, nil // another caller read it while this one waited
	}
	at := d.now()
	read, err := readCatalog(ctx, d.db)
	if err != nil {
		return nil, err
	}
	read.at = at
	d.current.Store(read)
	return read, nil
}

func (d *CatalogCache) fresh(s *Catalog) bool { return d.now().Sub(s.at) < d.age }

// Catalog is all legal entities, organisations and funds as they were in one database snapshot. It never
// changes. Its methods return shared values: callers must not modify them.
type Catalog struct {
	*org.Register
	at         time.Time
	byID       map[uuid.UUID]Fund
	open       map[uuid.UUID][]Fund // by organisation, in order
	all        map[uuid.UUID][]Fund // by organisation, in order, closed ones too
	operations map[uuid.UUID]Fund   // by entity
}

// readCatalog reads in one transaction, so that no organisation appears without its funds.
func readCatalog(ctx context.Context, db *sqlx.DB) (*Catalog, error) {
	tx, err := db.BeginTxx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer tx.Rollback() // it only read
	register, err := org.ReadRegister(ctx, tx)
	if err != nil {
		return nil, err
	}
	funds, err := All(ctx, tx)
	if err != nil {
		return nil, err
	}
	return newCatalog(register, funds), nil
}

// newCatalog returns the catalog of register and funds. It keeps the order of funds.
func newCatalog(register *org.Register, funds []Fund) *Catalog {
	s := &Catalog{
		Register: register, byID: map[uuid.UUID]Fund{}, open: map[uuid.UUID][]Fund{}, all: map[uuid.UUID][]Fund{}, operations: map[uuid.UUID]Fund{},
	}
	for _, f := range funds {
		s.byID[f.ID] = f
		if f.Code != Operations {
			s.all[f.OrganisationID] = append(s.all[f.OrganisationID], f)
		}
		switch {
		case f.Code == Operations:
			s.operations[f.EntityID] = f
		case f.Open():
			s.open[f.OrganisationID] = append(s.open[f.OrganisationID], f)
		}
	}
	return s
}

// Open returns the open funds of an organisation in the order of their positions.
func (s *Catalog) Open(organisation uuid.UUID) []Fund { return s.open[organisation] }

// FundsOf returns the funds of an organisation, closed ones too.
func (s *Catalog) FundsOf(organisation uuid.UUID) []Fund { return s.all[organisation] }

// FundByCode returns a fund of an entity by its code, open or closed. It reports fault.NotFound if there is none.
func (s *Catalog) FundByCode(entity uuid.UUID, code string) (Fund, error) {
	for _, f := range s.byID {
		if f.EntityID == entity && f.Code == code {
			return f, nil
		}
	}
	return Fund{}, notFound()
}

// Fund returns the fund with that id, open or closed. It reports fault.NotFound if there is none.
func (s *Catalog) Fund(id uuid.UUID) (Fund, error) { return found(s.byID, id) }

// NameIn finds the fund that has this name in any language, and returns its name in lang. It returns name if the fund
// or its name in the language is not known, or if funds that share the name are called differently there.
func (s *Catalog) NameIn(name string, lang phrase.Language) string {
	translated := ""
	for _, f := range s.byID {
		for _, known := range f.Name {
			if known != name || f.Name[lang] == "" {
				continue
			}
			if translated != "" && translated != f.Name[lang] {
				return name
			}
			translated = f.Name[lang]
			break
		}
	}
	if translated == "" {
		return name
	}
	return translated
}

// Operations returns the operations fund of the entity. It reports fault.NotFound if there is none.
func (s *Catalog) Operations(entity uuid.UUID) (Fund, error) { return found(s.operations, entity) }

func found(funds map[uuid.UUID]Fund, id uuid.UUID) (Fund, error) {
	if f, ok := funds[id]; ok {
		return f, nil
	}
	return Fund{}, notFound()
}
