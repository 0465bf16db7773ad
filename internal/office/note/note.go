// Package note owns the notes of staff on gifts, donors, payouts and tasks: the table staff_note.
//
// A note has a text, an author and a time; the database sets the last two. Nobody changes or deletes a note. A note on a gift
// is read by the staff of its organisation too; on a donor, by those of the author's organisation if the author has the role
// only there; all others by the staff of the entity. An erasure empties the notes on the donor, on their gifts, and on tasks
// about these; a note that is written on an erased donor is stored empty.
package note

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/people/audit"
	"konbit/internal/platform/fault"
)

// Kind is what a note is on.
type Kind string

// The kinds.
const (
	Gift   Kind = "gift"
	Donor  Kind = "donor"
	Payout Kind = "payout"
	Task   Kind = "task"
)

// Kinds are all kinds.
var Kinds = []Kind{Gift, Donor, Payout, Task}

// MaxLength is the number of characters that a text has at most.
const MaxLength = 4000

// Object is what a note is on.
type Object struct {
	Kind Kind
	ID   uuid.UUID
}

// Note is a stored note.
type Note struct {
	ID       uuid.UUID `db:"id"`
	Text     string    `db:"text"` // empty after an erasure
	AuthorID uuid.UUID `db:"author"`
	Author   string    `db:"author_name"` // empty if the reader may not see the person
	At       time.Time `db:"at"`
}

const (
	columns  = `SELECT id, text, author, coalesce(author_name, '') AS author_name, at FROM staff_note_row WHERE `
	inOrder  = ` = $1 ORDER BY at, id`
	onGift   = `/* note.Of */ ` + columns + `donation_id` + inOrder
	onDonor  = `/* note.Of */ ` + columns + `donor_id` + inOrder
	onPayout = `/* note.Of */ ` + columns + `payout_id` + inOrder
	onTask   = `/* note.Of */ ` + columns + `task_id` + inOrder
)

// Of returns the notes on an object that the reader may see, in the order of their time: of a transaction of konbit_office
// those of its scope.
func Of(ctx context.Context, q sqlx.QueryerContext, o Object) (all []Note, err error) {
	var query string
	switch o.Kind {
	case Gift:
		query = onGift
	case Donor:
		query = onDonor
	case Payout:
		query = onPayout
	case Task:
		query = onTask
	default:
		return nil, errors.New("note: a note on " + string(o.Kind))
	}
	err = sqlx.SelectContext(ctx, q, &all, query, o.ID)
	return all, err
}

// Place is where an object is.
type Place struct {
	EntityID       uuid.UUID     `db:"entity_id"`
	OrganisationID uuid.NullUUID `db:"organisation_id"` // of a gift
	Ref            string        `db:"ref"`             // how the address of its page names it
}

// PlaceOf returns the place of an object; fault.NotFound if the reader sees no such object. q is a transaction of
// konbit_office.
func PlaceOf(ctx context.Context, q sqlx.QueryerContext, o Object) (p Place, err error) {
	const query = `/* note.PlaceOf */ SELECT entity_id, organisation_id, ref FROM staff_note_object($1, $2)`
	err = sqlx.GetContext(ctx, q, &p, query, string(o.Kind), o.ID)
	if errors.Is(err, sql.ErrNoRows) {
		err = fault.New(fault.NotFound, "problem.404.text", nil)
	}
	return p, err
}

// Check returns what is wrong with a text.
func Check(text string) []fault.Field {
	switch n := utf8.RuneCountInString(text); {
	case strings.TrimSpace(text) == "":
		return []fault.Field{{Name: "text", Phrase: "office.note.error.empty"}}
	case n > MaxLength:
		return []fault.Field{{Name: "text", Phrase: "office.note.error.long"}}
	}
	return nil
}

// New is a note to be written.
type New struct {
	ID             uuid.UUID // of the form: sent again, it is the same note
	EntityID       uuid.UUID
	OrganisationID uuid.NullUUID // the scope in which the author works
	Object         Object
	Text           string
}

// ErrOtherForm is the error of a form that was sent before and said something else.
var ErrOtherForm = fault.New(fault.Conflict, "office.note.error.other", nil)

// AddTx writes a note by the person of the transaction's staff session, with its audit entry. A note that is there already
// is left as it is.
func AddTx(ctx context.Context, tx *sqlx.Tx, n New) error {
	const insert = `/* note.AddTx */
		INSERT INTO staff_note (id, entity_id, organisation_id, donation_id, donor_id, payout_id, task_id, text)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING`
	const same = `/* note.AddTx */
		SELECT EXISTS (SELECT FROM staff_note WHERE id = $1 AND entity_id = $2 AND coalesce(donation_id, donor_id, payout_id, task_id) = $3 AND text IN ($4, '')
		   AND author = staff_of_session())`
	on := func(k Kind) uuid.NullUUID { return uuid.NullUUID{UUID: n.Object.ID, Valid: n.Object.Kind == k} }
	text := strings.TrimSpace(n.Text)
	done, err := tx.ExecContext(ctx, insert, n.ID, n.EntityID, n.OrganisationID, on(Gift), on(Donor), on(Payout), on(Task), text)
	if err != nil {
		return err
	}
	if added, err := done.RowsAffected(); err != nil || added == 0 {
		var again bool
		if err == nil {
			err = tx.GetContext(ctx, &again, same, n.ID, n.EntityID, n.Object.ID, text)
		}
		if err == nil && !again {
			err = ErrOtherForm
		}
		return err
	}
	return audit.RecordTx(ctx, tx, audit.Act{
		Name: "note.added", EntityID: uuid.NullUUID{UUID: n.EntityID, Valid: true}, OrganisationID: n.OrganisationID,
		ObjectKind: "staff_note", ObjectID: n.ID.String(), After: map[string]string{"on": string(n.Object.Kind), "id": n.Object.ID.String()},
	})
}
