package correction

import (
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/ledger"
	"konbit/internal/office/offline"
	"konbit/internal/people/approval"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
	"konbit/internal/platform/pg"
)

// Act is what a person asks for.
type Act struct {
	EntityID uuid.UUID
	GiftID   uuid.UUID
	Paid     money.Amount // of the gift, as on paper
	Reason   string       // may name people
	New      *New         // the gift in its place; nil: there is none
}

// New is a gift in the place of another one.
type New struct {
	Typed      offline.Typed // as Canonical returns it
	DonorID    uuid.NullUUID // not valid: a new donor, whom Typed names
	ReceivedOn ledger.Date
	Account    string // slug of the bank account; empty: not said
}

// MaxReason is how many characters a reason has at most.
const MaxReason = 500

// Canonical returns what was typed, so that it means the same in every language: amounts with a decimal point, the day as YYYY-MM-DD, funds by code.
func Canonical(t offline.Typed, m offline.Meaning, code func(fund uuid.UUID) string, c money.Currency) offline.Typed {
	all := offline.Typed{}
	for name, text := range t {
		if !strings.HasPrefix(name, "split[") && name != "fund" && name != "donor" && text != "" {
			all[name] = text
		}
	}
	for name, minor := range map[string]int64{"amount": m.Minor, "in_return_value": m.ReturnMinor} {
		if minor > 0 {
			all[name] = money.New(minor, c).Decimal()
		}
	}
	all["method"], all["given_by"] = string(m.Method), string(m.GivenBy)
	if m.PostmarkedOn != (ledger.Date{}) {
		all["postmarked_on"] = m.PostmarkedOn.String()
	}
	if m.SoftCredit.Valid {
		all["soft_credit"] = m.SoftCredit.UUID.String()
		maps.DeleteFunc(all, func(name, _ string) bool { return strings.HasPrefix(name, "credit_") }) // the person is there by now
	}
	if len(m.Parts) == 1 {
		all["fund"] = code(m.Parts[0].FundID)
		return all
	}
	for _, p := range m.Parts {
		all["split["+code(p.FundID)+"]"] = money.New(p.Minor, c).Decimal()
	}
	return all
}

func hashOf(text string) string { return fmt.Sprintf("sha256 %x", sha256.Sum256([]byte(text))) }

// Body returns the canonical text of an act, as the function gift_void_body of migration 00195 has it: hashes of what may name people.
func (a Act) Body() string {
	becomes := "nothing"
	if a.New != nil {
		donor := ""
		if a.New.DonorID.Valid {
			donor = a.New.DonorID.UUID.String()
		}
		lines := []string{"donor " + donor, "received on " + a.New.ReceivedOn.String(), "account " + a.New.Account}
		for _, name := range slices.Sorted(maps.Keys(a.New.Typed)) {
			lines = append(lines, fmt.Sprintf("%s %d:%s", name, len(a.New.Typed[name]), a.New.Typed[name]))
		}
		becomes = hashOf(strings.Join(lines, "\n"))
	}
	return strings.Join([]string{"void", "entity " + a.EntityID.String(), "gift " + a.GiftID.String(), fmt.Sprintf("amount %d %s", a.Paid.Minor,
		a.Paid.Currency),
		"reason " + hashOf(a.Reason), "becomes " + becomes}, "\n")
}

// Summary is what the text of a request says by itself.
type Summary struct {
	GiftID   uuid.UUID
	Paid     money.Amount
	Corrects bool // another gift comes in its place
}

// ReadBody reads a text that Body wrote.
func ReadBody(body string) (s Summary, err error) {
	lines := strings.Split(body, "\n")
	if len(lines) != 6 || lines[0] != "void" {
		return s, errors.New("correction: the text of a request is no void")
	}
	if s.GiftID, err = uuid.Parse(strings.TrimPrefix(lines[2], "gift ")); err != nil {
		return s, err
	}
	_, err = fmt.Sscanf(lines[3], "amount %d %s", &s.Paid.Minor, &s.Paid.Currency)
	s.Corrects = lines[5] != "becomes nothing"
	return s, err
}

// The ids that a form's one-time id gives its request and the void.
func requestOf(submission uuid.UUID) uuid.UUID {
	return uuid.NewSHA1(submission, []byte("void request"))
}
func voidOf(submission uuid.UUID) uuid.UUID { return uuid.NewSHA1(submission, []byte("gift void")) }

// RequestOf returns the request by which a person asks a second one for an act.
func (a Act) RequestOf(submission, staff uuid.UUID) approval.Request {
	return approval.Request{ID: requestOf(submission), EntityID: a.EntityID, Kind: approval.Void, Subject: voidOf(submission).String(), Body: a.Body(),
		Needs:       1,
		RequestedBy: staff}
}

// Why an act is refused.
var (
	ErrSecondOnly error = fault.New(fault.Forbidden, "office.void.problem.second", nil)
	ErrChanged    error = fault.New(fault.Conflict, "office.void.problem.changed", nil)
	ErrOtherForm  error = fault.New(fault.Conflict, "office.void.problem.other_form", nil)
	ErrVoided     error = fault.New(fault.Conflict, "office.void.problem.voided", nil)
	ErrNotFree    error = fault.New(fault.Conflict, "office.void.problem.not_free", nil)
	ErrAsked      error = fault.New(fault.Conflict, "office.void.problem.asked", nil)
)

// AskTx asks a second person for an act, in a transaction of staff.InTx of the requester, who used a factor (approval.RequestTx). The same form sent again
// returns its request, and ErrOtherForm if it says something else now. It reports ErrAsked if another request about the gift waits.
func AskTx(ctx context.Context, tx *sqlx.Tx, a Act, ask approval.Request) error {
	const insert = `/* correction.AskTx */
		INSERT INTO gift_void_request (request_id, entity_id, gift_id, reason, typed, donor_id, received_on, account)
		VALUES ($1, $2, $3, $4, $5, $6, $7, nullif($8, ''))`
	switch earlier, err := approval.ByID(ctx, tx, ask.ID); {
	case err == nil && earlier.Hash() == ask.Hash():
		return nil
	case err == nil:
		return ErrOtherForm
	case !errors.Is(err, sql.ErrNoRows):
		return err
	}
	if waits, err := Waiting(ctx, tx, a.GiftID); err != nil || waits != nil {
		return cmp.Or(err, ErrAsked)
	}
	err := approval.RequestTx(ctx, tx, ask, nil)
	if pg.Violates(err, "approval_request_pkey") { // the same form at the same time: it finds its request if it is sent again
		return fault.Wrap(fault.Unavailable, "problem.503.text", err)
	}
	if err != nil {
		return err
	}
	var typed, day any
	donor, account := uuid.NullUUID{}, ""
	if a.New != nil {
		typed, day, donor, account = a.New.Typed, a.New.ReceivedOn.String(), a.New.DonorID, a.New.Account
	}
	_, err = tx.ExecContext(ctx, insert, ask.ID, a.EntityID, a.GiftID, a.Reason, typed, donor, day, account)
	return err
}

// Waiting returns the open request about a gift; nil if there is none.
func Waiting(ctx context.Context, q sqlx.QueryerContext, gift uuid.UUID) (*approval.Stored, error) {
	const query = `/* correction.Waiting */ SELECT request_id FROM gift_void_request WHERE gift_id = $1`
	var ids []uuid.UUID
	if err := sqlx.SelectContext(ctx, q, &ids, query, gift); err != nil || len(ids) == 0 {
		return nil, err
	}
	open, err := approval.OpenOnes(ctx, q, ids)
	if err != nil || len(open) == 0 {
		return nil, err
	}
	return &open[0], nil
}

// Asked returns the act that a request asks for. It reports ErrChanged if it is not what the request's body says: an erasure emptied it, for one.
func Asked(ctx context.Context, q sqlx.QueryerContext, r approval.Stored) (a Act, err error) {
	const query = `/* correction.Asked */
		SELECT gift_id, reason, typed, donor_id, coalesce(received_on, 'epoch') AS received_on, coalesce(account, '') AS account
		  FROM gift_void_request WHERE request_id = $1`
	said, err := ReadBody(r.Body)
	if err != nil {
		return a, err
	}
	var found []struct {
		GiftID     uuid.UUID     `db:"gift_id"`
		Reason     string        `db:"reason"`
		Typed      []byte        `db:"typed"`
		DonorID    uuid.NullUUID `db:"donor_id"`
		ReceivedOn ledger.Date   `db:"received_on"`
		Account    string        `db:"account"`
	}
	if err := sqlx.SelectContext(ctx, q, &found, query, r.ID); err != nil {
		return a, err
	}
	a = Act{EntityID: r.EntityID, GiftID: said.GiftID, Paid: said.Paid}
	if len(found) == 0 {
		return a, ErrChanged
	}
	f := found[0]
	a.Reason = f.Reason
	if f.Typed != nil {
		a.New = &New{DonorID: f.DonorID, ReceivedOn: f.ReceivedOn, Account: f.Account}
		if err := a.New.Typed.Scan(f.Typed); err != nil {
			return a, err
		}
	}
	if a.GiftID != f.GiftID || a.Body() != r.Body {
		return a, ErrChanged
	}
	return a, nil
}

// Voided is what became of a gift, or what it came from.
type Voided struct {
	GiftID    uuid.UUID     `db:"gift_id"`
	NewGiftID uuid.NullUUID `db:"new_gift_id"` // not valid: nothing came in its place
	RequestID uuid.UUID     `db:"request_id"`
	VoidedAt  time.Time     `db:"voided_at"`
}

// Of returns the voids of a gift and of the one in whose place it came.
func Of(ctx context.Context, q sqlx.QueryerContext, gift uuid.UUID) (all []Voided, err error) {
	const query = `/* correction.Of */ SELECT gift_id, new_gift_id, request_id, voided_at FROM gift_void WHERE gift_id = $1 OR new_gift_id = $1 ORDER BY voided_at`
	err = sqlx.SelectContext(ctx, q, &all, query, gift)
	return all, err
}
