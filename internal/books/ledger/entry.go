package ledger

import (
	"errors"
	"fmt"
	"maps"

	"github.com/google/uuid"

	"konbit/internal/platform/money"
)

// Entry is one fact and its postings.
type Entry struct {
	EntityID uuid.UUID
	Currency money.Currency // of the entity's books
	Date     Date           // the business date of the fact, in the entity's time zone

	// Source, SourceID and Kind are the key, together with EntityID: who reported the fact, about which object, and
	// which of the object's entries this is. They are opaque here, and never empty.
	Source, SourceID, Kind string

	Fact       Fact
	Reverses   uuid.UUID         // the entry that this one mirrors; uuid.Nil if none. ReverseTx sets it.
	Dimensions map[string]string // ids to look an entry up by: donation, donor, charge, payout …
	Postings   []Posting         // two or more; their order is stored
}

// ErrEntry is reported for an entry that breaks the rules of the books: a defect of the caller, not of the fact.
var ErrEntry = errors.New("ledger: not an entry")

// maxLines is the largest number of postings of an entry, here and in the database.
const maxLines = 2000

// key identifies an entry.
type key struct {
	entity                 uuid.UUID
	source, sourceID, kind string
}

func (k key) String() string {
	return fmt.Sprintf("%s %s of entity %s, from %s", k.kind, k.sourceID, k.entity, k.source)
}

func (e *Entry) key() key { return key{e.EntityID, e.Source, e.SourceID, e.Kind} }

// check reports ErrEntry for an entry that the database would refuse, or whose memo accounts do not balance among
// themselves.
func (e *Entry) check() error {
	wrong := ""
	switch {
	case e.Source == "" || e.SourceID == "" || e.Kind == "":
		wrong = "its key is incomplete"
	case e.EntityID == uuid.Nil || !e.Currency.Valid():
		wrong = "it has no entity or no currency"
	case !e.Date.valid():
		wrong = fmt.Sprintf("%s is not a date", e.Date)
	case len(e.Fact) == 0:
		wrong = "it has no fact"
	case len(e.Postings) < 2 || len(e.Postings) > maxLines:
		wrong = fmt.Sprintf("it has %d postings", len(e.Postings))
	default:
		wrong = e.unbalanced()
	}
	if wrong == "" {
		return nil
	}
	return fmt.Errorf("%w: %s: %s", ErrEntry, e.key(), wrong)
}

// unbalanced says why the postings do not balance; "" if they do.
func (e *Entry) unbalanced() string {
	type side struct {
		fund uuid.UUID
		memo bool
	}
	sums := make(map[side]money.Amount, 2)
	for n, p := range e.Postings {
		if problem := p.problem(e.Currency); problem != "" {
			return fmt.Sprintf("posting %d %s", n+1, problem)
		}
		at := side{p.FundID, p.Account.memo()}
		sum, err := money.New(sums[at].Minor, e.Currency).Add(money.New(p.Amount, e.Currency))
		if err != nil {
			return fmt.Sprintf("posting %d: %s", n+1, err)
		}
		sums[at] = sum
	}
	maps.DeleteFunc(sums, func(_ side, sum money.Amount) bool { return sum.IsZero() })
	for at, sum := range sums {
		return fmt.Sprintf("fund %s is out of balance by %s", at.fund, sum)
	}
	return ""
}
