package mail

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"sync"
	"time"

	"github.com/jmoiron/sqlx"

	"konbit/internal/mail/difference"
	"konbit/internal/platform/pg"
)

// Models are the models that stored emails are compared with. A model is an email to an invented donor, so it names nobody;
// what is personal is in the difference, which an erasure removes. It is safe for concurrent use.
type Models struct {
	db    *sqlx.DB
	mu    sync.Mutex
	byKey map[string]*storedModel
	byID  map[int]*storedModel
}

// maxModels bounds the models in memory, half a megabyte each. Most installations use a few: one for each organisation,
// language and kind.
const maxModels = 24

type storedModel struct {
	*difference.Model
	id int
}

// NewModels returns the models in a database.
func NewModels(db *sqlx.DB) *Models {
	return &Models{db: db, byKey: map[string]*storedModel{}, byID: map[int]*storedModel{}}
}

// invented says how the model of an email is made.
type invented struct {
	key    string // emails with the same key have the same model
	render func() (*Email, error)
}

// The invented donor and what stands in a model for what differs from email to email.
const (
	inventedName      = "Maria Lopez"
	inventedFirstName = "Maria"
	inventedAddress   = "maria@example.org"
	inventedAmount    = 2500
)

var inventedDay = time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC)

// zeros returns text with zeros for its digits.
func zeros(text string) string { return regexp.MustCompile(`\d`).ReplaceAllString(text, "0") }

// boundary finds the lines between the parts of a message, which are random.
var boundary = regexp.MustCompile(`boundary=([0-9a-zA-Z]{40,})`)

// withoutBoundaries returns a message in which the random boundaries are zeros, so that a model is the same in each process.
func withoutBoundaries(message []byte) []byte {
	for _, m := range boundary.FindAllSubmatch(message, -1) {
		random := regexp.MustCompile(string(m[1]))
		message = random.ReplaceAll(message, []byte(zeros(string(regexp.MustCompile(`[a-zA-Z]`).ReplaceAll(m[1], []byte("0"))))))
	}
	return message
}

// of returns a model, and stores it if it is new. It is nil if the email has none.
func (ms *Models) of(ctx context.Context, made *invented) (*storedModel, error) {
	if ms == nil || made == nil {
		return nil, nil
	}
	ms.mu.Lock()
	found := ms.byKey[made.key]
	ms.mu.Unlock()
	if found != nil {
		return found, nil
	}
	email, err := made.render()
	if err != nil {
		return nil, err
	}
	message, err := composeUnaddressed(*email)
	if err != nil {
		return nil, err
	}
	model := &storedModel{Model: difference.NewModel(withoutBoundaries(message))}
	err = pg.InTx(ctx, ms.db, func(tx *sqlx.Tx) error {
		model.id, err = storeModelTx(ctx, tx, model.Bytes())
		return err
	})
	if err != nil {
		return nil, err
	}
	ms.keep(made.key, model)
	return model, nil
}

func (ms *Models) keep(key string, model *storedModel) {
	ms.mu.Lock()
	defer ms.mu.Unlock()
	if len(ms.byID) >= maxModels {
		clear(ms.byKey)
		clear(ms.byID)
	}
	ms.byID[model.id] = model
	if key != "" {
		ms.byKey[key] = model
	}
}

// byNumber returns a stored model.
func (ms *Models) byNumber(ctx context.Context, id int) (*storedModel, error) {
	const query = `/* mail.byNumber */ SELECT content FROM email_model WHERE id = $1`
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
	model := &storedModel{difference.ReadModel(content), id}
	ms.keep("", model)
	return model, nil
}

// storeModelTx returns the number of a model that is stored already, or stores it.
func storeModelTx(ctx context.Context, tx *sqlx.Tx, content []byte) (id int, err error) {
	const find = `/* mail.storeModelTx */ SELECT id FROM email_model WHERE hash = $1`
	const insert = `/* mail.storeModelTx */ INSERT INTO email_model (hash, content) VALUES ($1, $2) ON CONFLICT (hash) DO NOTHING RETURNING id`
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

// setMessage stores a message in e: as its difference to the email's model or, without one, whole.
func (m Mailer) setMessage(ctx context.Context, e *storedEmail, message []byte, made *invented) error {
	e.Message = message
	model, err := m.Models.of(ctx, made)
	if err != nil {
		return err
	}
	if model != nil {
		e.ModelID, e.Difference = &model.id, model.Of(message)
	}
	return nil
}

// message returns the message of a stored email; empty if it was erased.
func (m Mailer) message(ctx context.Context, e storedEmail) ([]byte, error) {
	if len(e.Message) > 0 || e.ModelID == nil || len(e.Difference) == 0 {
		return e.Message, nil
	}
	model, err := m.Models.byNumber(ctx, *e.ModelID)
	if err != nil {
		return nil, err
	}
	return model.Message(e.Difference)
}
