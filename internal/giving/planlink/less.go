package planlink

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"konbit/internal/books/org"
	"konbit/internal/platform/fault"
)

// Channels by which a donor makes a request. plan_request.asked_by stores the first two; of the third it says who at the office.
const (
	ByLink    = "letter" // the link of an email
	BySession = "portal" // a session
	ByOffice  = "office" // the donor asked the office, which pauses, resumes or cancels and changes nothing else
)

// ErrNeedsSession: the request takes more than the donor agreed to, and the donor did not sign in.
var ErrNeedsSession error = fault.New(fault.Forbidden, "plan.error.more", nil)

// ErrRequestWaits: an earlier request of the plan is not executed yet, and the donor did not sign in.
var ErrRequestWaits error = fault.New(fault.Forbidden, "plan.error.waits", nil)

// Terms are what a plan takes from its donor. Amounts are in minor units.
type Terms struct {
	Frequency org.Frequency
	Next      time.Time           // the next charge
	Covered   int64               // the part of each charge that covers the processing fee
	Given     map[uuid.UUID]int64 // the rest of each charge, by fund
}

// CheckTerms returns ErrNeedsSession if a change of terms by this channel needs a session. An unknown channel may do as
// much as a link.
func CheckTerms(channel string, old, to Terms) error {
	if channel == BySession || isLess(old, to) {
		return nil
	}
	return ErrNeedsSession
}

// kindsByLink are the kinds of requests that a link may make, as plan_request.kind stores them. A change must be less,
// too: see CheckTerms. The end of a pause is not among them, because it makes the next charge earlier.
var kindsByLink = []string{"pause", "skip", "cancel", "change"}

// CheckKind returns ErrNeedsSession if a request of this kind by this channel needs a session. An unknown channel may
// do as much as a link. The office may also end a pause: its people signed in, and the donor asked them.
func CheckKind(channel, kind string) error {
	if channel == BySession || channel == ByOffice && kind == "resume" || slices.Contains(kindsByLink, kind) {
		return nil
	}
	return ErrNeedsSession
}

// frequencies are in order, the shortest interval first.
var frequencies = []org.Frequency{org.Weekly, org.Monthly, org.Quarterly, org.Yearly}

// isLess reports whether new terms take no more from the donor than the old ones at any time, and give no fund more:
//
//	amount of each charge      not more for any fund, without the part that covers the fee
//	part that covers the fee   not more
//	interval                   not shorter
//	next charge                not earlier
//	funds                      none that had no part before
//
// A larger amount at a longer interval is not less: the next charge would be larger. A smaller amount at a shorter
// interval is not less: a charge would be earlier.
func isLess(old, to Terms) bool {
	before, after := slices.Index(frequencies, old.Frequency), slices.Index(frequencies, to.Frequency)
	if before < 0 || after < before || to.Next.Before(old.Next) || to.Covered > old.Covered {
		return false
	}
	for fund, amount := range to.Given {
		if had, known := old.Given[fund]; !known || amount > had {
			return false
		}
	}
	return len(to.Given) > 0
}
