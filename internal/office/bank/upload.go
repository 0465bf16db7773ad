package bank

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/office/bankfile"
)

// LayoutsOf returns the layouts of CSV files that people of an entity confirmed.
func LayoutsOf(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID) ([]bankfile.Layout, error) {
	const query = `/* bank.LayoutsOf */ SELECT layout::text FROM bank_layout WHERE entity_id = $1 AND replaced_at IS NULL ORDER BY made_at DESC, id`
	var texts []string
	if err := sqlx.SelectContext(ctx, q, &texts, query, entity); err != nil {
		return nil, err
	}
	all := make([]bankfile.Layout, len(texts))
	for i, text := range texts {
		if err := json.Unmarshal([]byte(text), &all[i]); err != nil {
			return nil, fmt.Errorf("bank: a layout of entity %s: %w", entity, err)
		}
	}
	return all, nil
}

// RememberLayoutTx stores a layout that a person confirmed; it replaces an earlier one of the same files.
func (s Service) RememberLayoutTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, l bankfile.Layout) error {
	if err := l.Check(); err != nil {
		return err
	}
	text, err := json.Marshal(l)
	if err != nil {
		return err
	}
	const replace = `/* bank.RememberLayoutTx */ UPDATE bank_layout SET replaced_at = $3 WHERE entity_id = $1 AND fingerprint = $2 AND replaced_at IS NULL RETURNING id`
	const insert = `/* bank.RememberLayoutTx */ INSERT INTO bank_layout (id, entity_id, fingerprint, layout) VALUES ($1, $2, $3, $4)`
	var replaced []uuid.UUID
	if err := tx.SelectContext(ctx, &replaced, replace, entity, l.Fingerprint, s.Now()); err != nil {
		return err
	}
	id := s.NewID()
	if _, err := tx.ExecContext(ctx, insert, id, entity, l.Fingerprint, string(text)); err != nil {
		return err
	}
	return s.recordTx(ctx, tx, entity, "bank.layout_made", "bank_layout", id, map[string]any{"replaces": replaced}, "")
}

// Upload is a file that a person looks at before it is stored.
type Upload struct {
	ID         uuid.UUID `db:"id"`
	AccountID  uuid.UUID `db:"account_id"`
	Name       string    `db:"name"`
	Content    []byte    `db:"content"`
	LayoutText *string   `db:"layout"`
	UploadedBy uuid.UUID `db:"uploaded_by"`
}

// Layout returns the layout that a person confirmed for the file; nil if none did.
func (u Upload) Layout() (*bankfile.Layout, error) {
	if u.LayoutText == nil {
		return nil, nil
	}
	var l bankfile.Layout
	err := json.Unmarshal([]byte(*u.LayoutText), &l)
	return &l, err
}

// maxUploads is how many files of an account wait at most: the oldest are forgotten.
const maxUploads = 20

// KeepUploadTx stores a file for its person to look at. It deletes files of the account that waited for a day.
func (s Service) KeepUploadTx(ctx context.Context, tx *sqlx.Tx, a Account, id uuid.UUID, name string, content []byte) error {
	const forget = `/* bank.KeepUploadTx */ DELETE FROM bank_upload u WHERE u.account_id = $1
		AND (u.uploaded_at < clock_timestamp() - interval '1 day' OR u.id IN (SELECT o.id FROM bank_upload o WHERE o.account_id = $1 ORDER BY o.uploaded_at DESC OFFSET $2))`
	const insert = `/* bank.KeepUploadTx */ INSERT INTO bank_upload (id, entity_id, account_id, name, content) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`
	if _, err := tx.ExecContext(ctx, forget, a.ID, maxUploads); err != nil {
		return err
	}
	if n := len([]rune(name)); n > 200 {
		name = string([]rune(name)[n-200:])
	}
	_, err := tx.ExecContext(ctx, insert, id, a.EntityID, a.ID, name, content)
	return err
}

// UploadsOf returns the files of an account that wait, the oldest first, with their bytes.
func UploadsOf(ctx context.Context, q sqlx.QueryerContext, account uuid.UUID) (all []Upload, err error) {
	const query = `/* bank.UploadsOf */ SELECT id, account_id, name, content, layout::text AS layout, uploaded_by FROM bank_upload WHERE account_id = $1 ORDER BY uploaded_at, id`
	err = sqlx.SelectContext(ctx, q, &all, query, account)
	return all, err
}

// SetLayoutTx stores what a person said of the columns of a file that waits.
func (s Service) SetLayoutTx(ctx context.Context, tx *sqlx.Tx, account, id uuid.UUID, l bankfile.Layout) error {
	text, err := json.Marshal(l)
	if err != nil {
		return err
	}
	const update = `/* bank.SetLayoutTx */ UPDATE bank_upload SET layout = $3 WHERE id = $1 AND account_id = $2`
	_, err = tx.ExecContext(ctx, update, id, account, string(text))
	return err
}

// ForgetUploadTx deletes a file that waits.
func (s Service) ForgetUploadTx(ctx context.Context, tx *sqlx.Tx, account, id uuid.UUID) error {
	const forget = `/* bank.ForgetUploadTx */ DELETE FROM bank_upload WHERE id = $1 AND account_id = $2`
	_, err := tx.ExecContext(ctx, forget, id, account)
	return err
}

// StoredFile is a file as a list shows it.
type StoredFile struct {
	ID       uuid.UUID  `db:"id"`
	Format   string     `db:"format"`
	Lines    int        `db:"lines"`
	Added    int        `db:"added"`
	Warnings string     `db:"warnings"`
	StoredBy *uuid.UUID `db:"stored_by"` // nil: an operator
	StoredAt time.Time  `db:"stored_at"`
	From     *time.Time `db:"from_on"`
	Until    *time.Time `db:"until_on"`
}

// FilesOf returns the stored files of an account, the newest first, at most limit; before is the time of the last one of the page before.
func FilesOf(ctx context.Context, q sqlx.QueryerContext, account uuid.UUID, before time.Time, limit int) (all []StoredFile, err error) {
	const query = `/* bank.FilesOf */ SELECT f.id, f.format, f.lines, f.added, f.warnings::text AS warnings, f.stored_by, f.stored_at,
		(SELECT min(s.from_on) FROM bank_statement s WHERE s.file_id = f.id) AS from_on, (SELECT max(s.until_on) FROM bank_statement s WHERE s.file_id = f.id) AS until_on
		FROM bank_file f WHERE f.account_id = $1 AND f.stored_at < $2 ORDER BY f.stored_at DESC LIMIT $3`
	err = sqlx.SelectContext(ctx, q, &all, query, account, before, limit)
	return all, err
}
