package statement

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"konbit/internal/giving/receipt"
	"konbit/internal/platform/jobs"
	"konbit/internal/platform/money"
)

// WordsVersion is the newest version of the texts of statements. Version 3 added the names on the receipts, version 4 what is
// void, version 5 shares, things, and what was given in return.
const WordsVersion = 5

// oldestWords returns the oldest version of the texts, 2 or newer, that can say an issued statement. A server of the
// previous release, which works beside this one during an upgrade, knows no newer version than it needs.
func (s Statement) oldestWords() int {
	switch {
	case slices.ContainsFunc(s.Facts.Gifts, func(g Gift) bool { return g.Described != "" || g.InReturn != nil }):
		return 5
	case s.Facts.nothingRemains() || slices.ContainsFunc(s.Facts.Gifts, func(g Gift) bool { return g.Void }):
		return 4
	case s.Person != nil && len(s.Person.Names) > 1:
		return 3
	}
	return 2
}

// Statement is what a donor gave in one year.
type Statement struct {
	ID, EntityID, DonorID uuid.UUID
	Year, N               int // N is 0 for one that was not issued: the donations as they are at IssuedAt
	Language              string
	WordsVersion          int
	Facts                 Facts
	Person                *Person // nil if erased
	IssuedAt              time.Time
	PreviousIssuedAt      time.Time // of the one it replaces; zero for the first
	Superseded            bool      // a newer one replaced it
}

// Facts are the figures and the organisations that received the donations (IRS Publication 1771: the name of the
// organisation, amounts, dates, and whether goods or services were given in return).
type Facts struct {
	EntitySlug string   `json:"entity_slug"`
	LegalName  string   `json:"legal_name"`
	EIN        string   `json:"ein"`
	Address    []string `json:"address"` // lines
	MailFrom   string   `json:"mail_from"`
	Timezone   string   `json:"timezone"`
	Sponsored  []string `json:"sponsored,omitempty"` // names of the entity's projects, in the statement's language

	Gifts    []Gift       `json:"gifts"` // by the day of the charge
	Given    money.Amount `json:"given"`
	Returned money.Amount `json:"returned"`
	Total    money.Amount `json:"total"` // given less returned: the sum of the valid receipts
}

// nothingRemains reports whether all the donor's gifts of the year were returned.
func (f Facts) nothingRemains() bool { return f.Total.IsZero() }

// Sums returns what one of several names gave and got back.
func (f Facts) Sums(name int) (given, returned, total money.Amount, err error) {
	given, returned = money.New(0, f.Total.Currency), money.New(0, f.Total.Currency)
	for _, g := range f.Gifts {
		if g.Name != name {
			continue
		}
		if given, err = given.Add(g.Amount); err != nil {
			return given, returned, total, err
		}
		for _, back := range g.Returned {
			if returned, err = returned.Add(back.Amount); err != nil {
				return given, returned, total, err
			}
		}
	}
	total, err = given.Sub(returned)
	return given, returned, total, err
}

// Gift is one donation, single or an instalment of a plan.
type Gift struct {
	ChargedOn    string            `json:"charged_on"`     // YYYY-MM-DD in Timezone
	Receipt      string            `json:"receipt"`        // number of the newest receipt
	Void         bool              `json:"void,omitempty"` // that receipt is void
	Organisation string            `json:"organisation"`
	Funds        []FundPart        `json:"funds"`
	Amount       money.Amount      `json:"amount"`       // charged
	N            int               `json:"n,omitempty"`  // number of the instalment
	Of           int               `json:"of,omitempty"` // number of planned instalments; 0 if open-ended or single
	Returned     []Return          `json:"returned,omitempty"`
	Described    string            `json:"described,omitempty"` // shares, or a thing: Amount is zero, for we state no value
	InReturn     *receipt.InReturn `json:"in_return,omitempty"` // what the donor got in return; Amount is without its value
	Name         int               `json:"name,omitempty"`      // whose gift it is, if the receipts name several: index in Person.Names
}

// FundPart is a fund's part of a donation as charged.
type FundPart struct {
	Fund   string       `json:"fund"`
	Amount money.Amount `json:"amount"`
}

// Return is money returned to the donor.
type Return struct {
	On     string         `json:"on"` // YYYY-MM-DD in Timezone
	Amount money.Amount   `json:"amount"`
	Reason receipt.Reason `json:"reason"` // receipt.Refund or receipt.Dispute
}

// Person is the donor who gets a statement, as the receipts name them.
type Person struct {
	FirstName        string   `json:"first_name"`                  // empty for an organisation
	LastName         string   `json:"last_name"`                   // empty for an organisation
	OrganisationName string   `json:"organisation_name,omitempty"` // empty for a person
	Email            string   `json:"email"`                       // empty: none
	Address          []string `json:"address,omitempty"`           // lines
	Names            []Named  `json:"names,omitempty"`             // of a mailbox whose receipts name several: each has a part of the statement
}

// Named is one of several people or organisations that share a mailbox.
type Named struct {
	Name     string   `json:"name"`
	Greeting string   `json:"greeting"` // the first name of a person
	Address  []string `json:"address,omitempty"`
}

// Name returns the name to which a statement is addressed: an organisation's, or a person's first and last name.
func (p Person) Name() string {
	return cmp.Or(p.OrganisationName, strings.TrimSpace(p.FirstName+" "+p.LastName))
}

// figures returns the part of the facts that a correction compares. Names of funds and of the entity may change
// without a correction.
func (f Facts) figures() string {
	var b strings.Builder
	for _, g := range f.Gifts {
		fmt.Fprintln(&b, g.ChargedOn, g.Receipt, g.Amount, g.Returned, g.Name)
	}
	return b.String()
}

// EmailJob is the job that sends a statement.
type EmailJob struct {
	StatementID uuid.UUID `json:"statement_id"`
}

// Kind returns the job's name in the queue.
func (EmailJob) Kind() string { return "statement_letter" }

// Queue returns the queue in which the job waits.
func (EmailJob) Queue() jobs.QueueName { return jobs.Bulk }
