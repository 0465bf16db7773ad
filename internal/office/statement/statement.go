package statement

import (
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"konbit/internal/giving/receipt"
	"konbit/internal/platform/money"
)

// WordsVersion is the version of the words that new statements are issued with.
const WordsVersion = 2

// Statement is what a donor gave in a year.
type Statement struct {
	ID, EntityID, DonorID uuid.UUID
	Year, N               int // N is 0 for one that was not issued: it tells how the gifts stand at IssuedAt
	Language              string
	WordsVersion          int
	Facts                 Facts
	Person                *Person // nil: erased
	IssuedAt              time.Time
	PreviousIssuedAt      time.Time // when the one before was issued; zero: it is the first
	Superseded            bool      // a newer one took its place
}

// Facts are the figures and who received the gifts (IRS Publication 1771: the name of the organisation, amounts, dates, and
// whether goods or services were given in return).
type Facts struct {
	EntitySlug string   `json:"entity_slug"`
	LegalName  string   `json:"legal_name"`
	EIN        string   `json:"ein"`
	Address    []string `json:"address"` // lines
	MailFrom   string   `json:"mail_from"`
	Timezone   string   `json:"timezone"`
	Sponsored  []string `json:"sponsored,omitempty"` // the projects of the entity among the organisations, in the language

	Gifts    []Gift       `json:"gifts"` // by the day of the charge
	Given    money.Amount `json:"given"`
	Returned money.Amount `json:"returned"`
	Total    money.Amount `json:"total"` // given less returned: the sum of the receipts that stand
}

// Gift is one gift, given once or as one of a plan's.
type Gift struct {
	ChargedOn    string       `json:"charged_on"` // YYYY-MM-DD in Timezone
	Receipt      string       `json:"receipt"`    // the newest one's number, as people write it
	Organisation string       `json:"organisation"`
	Funds        []FundPart   `json:"funds"`
	Amount       money.Amount `json:"amount"`       // charged
	N            int          `json:"n,omitempty"`  // which of its plan's
	Of           int          `json:"of,omitempty"` // 0: of no planned number
	Returned     []Return     `json:"returned,omitempty"`
}

// Part is a fund's part of a gift as charged.
type FundPart struct {
	Fund   string       `json:"fund"`
	Amount money.Amount `json:"amount"`
}

// Return is money that went back to the donor.
type Return struct {
	On     string         `json:"on"` // YYYY-MM-DD in Timezone
	Amount money.Amount   `json:"amount"`
	Reason receipt.Reason `json:"reason"` // receipt.Refund or receipt.Dispute
}

// Person is whom a statement was made out to.
type Person struct {
	FirstName string   `json:"first_name"`
	LastName  string   `json:"last_name"`
	Email     string   `json:"email"`
	Address   []string `json:"address,omitempty"` // lines
}

// figures is what a correction is about: names of funds and of the entity may change without one.
func (f Facts) figures() string {
	var b strings.Builder
	for _, g := range f.Gifts {
		fmt.Fprintln(&b, g.ChargedOn, g.Receipt, g.Amount, g.Returned)
	}
	return b.String()
}

// Letter is the job of mailing a statement.
type EmailJob struct {
	StatementID uuid.UUID `json:"statement_id"`
}

// Kind names the job.
func (EmailJob) Kind() string { return "statement_letter" }
