package desk

import (
	"context"

	"github.com/jmoiron/sqlx"

	"konbit/internal/people/approval"
	"konbit/internal/web"
)

// Act is a kind of act that needs a second person: how pages show a request of it, and what executes it. An area that has one
// registers it with the area of approvals (refunds.Area.Acts).
type Act struct {
	Kind approval.Kind

	// Title returns the act in one line, such as "Refund $20.00", for the list and the head of the page. It reads the request's
	// body and the catalog only.
	Title func(v web.StaffVisit, r approval.Stored) string

	// Show returns what the second person sees, in a transaction of Desk.Read. Of an open request that is what the act would do
	// now; of an executed one, what came of it.
	Show func(ctx context.Context, tx *sqlx.Tx, v web.StaffVisit, r approval.Stored) (Shown, error)

	// ExecuteTx executes a request that has its approvals, in the transaction and the session of the person who approved last
	// (staff.InTx). After an error nothing is approved either; a *fault.Error is shown at the button.
	ExecuteTx func(ctx context.Context, tx *sqlx.Tx, v web.StaffVisit, r approval.Stored) error
}

// Shown is what an act does, as its page shows it. All texts are in the visit's language.
type Shown struct {
	Pairs  []Pair
	Table  *Table // below the pairs, such as the amounts by fund; nil: none
	Button string // what approving does, such as "Refund $20.00 to the card"
	Now    error  // a *fault.Error: why the act cannot be executed now; nil: it can
	// Later completes the texts after the transaction, by what only a payment processor knows; nil: they are complete.
	Later func(ctx context.Context, s *Shown)
}

// Pair is a label with its value. The value is a cell: an amount, a moment, a link, a state, or text.
type Pair struct {
	Label string
	Cell
}
