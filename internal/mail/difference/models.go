package difference

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"sync"

	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/pg"
)

// Models are the models in a database (table email_model), which nothing removes. It is safe for concurrent use.
type Models struct {
	db    *sqlx.DB
	mu    sync.Mutex
	byKey map[string]*StoredModel
	byID  map[int]*StoredModel
}

// maxModels bounds the models in memory, half a megabyte each. Most installations use a few: one for each organisation,
// language and kind.
const maxModels = 24

// StoredModel is a model with its number.
type StoredModel struct {
	*Model
	ID int
}

// NewModels returns the models in a database.
func NewModels(db *sqlx.DB) *Models {
	return &Models{db: db, byKey: map[string]*StoredModel{}, byID: map[int]*StoredModel{}}
}

// Of returns the model of the emails with a key. It composes and stores a model if there is none.
func (ms *Models) Of(ctx context.Context, key string, compose func() ([]byte, error)) (*StoredModel, error) {
	ms.mu.Lock()
	found := ms.byKey[key]
	ms.mu.Unlock()
	if found != nil {
		return found, nil
	}
	message, err := compose()
	if err != nil {
		return nil, err
	}
	model := &StoredModel{Model: NewModel(withoutBoundaries(message))}
	err = pg.InTx(ctx, ms.db, func(tx *sqlx.Tx) error {
		model.ID, err = storeModelTx(ctx, tx, model.Bytes())
		return err
	})
	if err != nil {
		return nil, err
	}
	ms.keep(key, model)
	return model, nil
}

func (ms *Models) keep(key string, model *StoredModel) {
	ms.mu.Lock()
	defer ms.mu.Unlock()
	if len(ms.byID) >= maxModels {
		clear(ms.byKey)
		clear(ms.byID)
	}
	ms.byID[model.ID] = model
	if key != "" {
		ms.byKey[key] = model
	}
}

// ByID returns a stored model.
func (ms *Models) ByID(ctx context.Context, id int) (*StoredModel, error) {
	const query = `/* difference.ByID */ SELECT content FROM email_model WHERE id = $1`
	ms.mu.Lock()
	found := ms.byID[id]
	ms.mu.Unlock()
	if found != nil {
		return found, nil
	}
	var content []byte
	if err := ms.db.GetContext(ctx, &content, query, id); err != nil {
		return nil, fmt.Errorf("model %d of emails: %w", id, err)
	}
	model := &StoredModel{ReadModel(content), id}
	ms.keep("", model)
	return model, nil
}

// storeModelTx returns the number of a model that is stored already, or stores it.
func storeModelTx(ctx context.Context, tx *sqlx.Tx, content []byte) (id int, err error) {
	const find = `/* difference.storeModelTx */ SELECT id FROM email_model WHERE hash = $1`
	const insert = `/* difference.storeModelTx */ INSERT INTO email_model (hash, content) VALUES ($1, $2) ON CONFLICT (hash) DO NOTHING RETURNING id`
	hash := sha256.Sum256(content)
	if err = tx.GetContext(ctx, &id, find, hash[:]); !errors.Is(err, sql.ErrNoRows) {
		return id, err
	}
	if err = tx.GetContext(ctx, &id, insert, hash[:], content); !errors.Is(err, sql.ErrNoRows) {
		return id, err
	}
	err = tx.GetContext(ctx, &id, find, hash[:]) // another process stored it first
	return id, err
}

// boundary finds the boundaries of a message, which are random.
var boundary = regexp.MustCompile(`boundary=([0-9a-zA-Z]{40,})`)

// withoutBoundaries returns a message with zeros for its random boundaries: a model is the same in each process.
func withoutBoundaries(message []byte) []byte {
	for _, m := range boundary.FindAllSubmatch(message, -1) {
		message = bytes.ReplaceAll(message, m[1], bytes.Repeat([]byte("0"), len(m[1])))
	}
	return message
}
