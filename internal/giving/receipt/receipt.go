// Package receipt owns the receipts: a number without gaps per legal entity and year, and the facts as they were when
// the receipt was issued. A receipt is written once. Every later rendering, by any version of the program, uses these
// facts and this version of the words.
//
// receipt renders and sends nothing. It enqueues an EmailJob in the transaction that writes the receipt, unless the
// donor has no email address.
package receipt

import (
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"konbit/internal/platform/jobs"
	"konbit/internal/platform/money"
)

// WordsVersion is the newest version of the receipt's words.
const WordsVersion = 2

// wordsVersion returns the version of the words with which a receipt is issued. The first one is about a charge; the second
// about what came without a processor: it has words for shares, for things, and for a gift with something in return.
func (f Facts) wordsVersion() int {
	if f.Method != "" {
		return WordsVersion
	}
	return 1
}

// Receipt is an issued receipt.
type Receipt struct {
	ID, EntityID, DonationID uuid.UUID
	Year, Number             int
	Language                 string
	WordsVersion             int
	Facts                    Facts
	IssuedAt                 time.Time
	Replaces, ReplacedBy     *uuid.UUID // nil: none
	Voided                   *Change    // nil: it is valid
}

// IsValid reports whether the receipt is not void.
func (r Receipt) IsValid() bool { return r.Voided == nil }

// Facts are what the receipt says, frozen at issue (IRS Publication 1771: the name of the organisation,
// the amount, the date, and whether goods or services were given in return).
type Facts struct {
	EntitySlug   string   `json:"entity_slug"`
	LegalName    string   `json:"legal_name"`
	EIN          string   `json:"ein"`
	Address      []string `json:"address"`                  // lines
	NumberPrefix string   `json:"receipt_prefix,omitempty"` // of the number; empty: EntitySlug in capitals, as before the setting existed
	MailFrom     string   `json:"mail_from"`
	Organisation string   `json:"organisation"` // in the receipt's language
	OrgSlug      string   `json:"organisation_slug"`
	Accent       string   `json:"accent"`
	Sponsored    bool     `json:"sponsored"` // the organisation is a project of the legal entity
	FirstName    string   `json:"first_name"`
	LastName     string   `json:"last_name"`
	Email        string   `json:"email"`
	DonorAddress []string `json:"donor_address,omitempty"`

	Amount    money.Amount `json:"amount"`     // as received, minus what was returned
	ChargedOn string       `json:"charged_on"` // YYYY-MM-DD in Timezone
	Timezone  string       `json:"timezone"`
	Lines     []Line       `json:"lines"`
	Covered   money.Amount `json:"covered,omitzero"`    // the part of Amount that the donor added for the processing fee
	ChargeID  string       `json:"charge_id"`           // empty: paid without a processor; see PaymentID
	Dedicated *Dedication  `json:"dedicated,omitempty"` // nil: not dedicated
	Returned  *Returned    `json:"returned,omitempty"`  // nil: nothing was returned
	Replaces  *Replaced    `json:"replaces,omitempty"`  // nil: it is the donation's first receipt, and its gift corrects no other
	// Instalment says which payment of a plan it is; nil: a one-time donation.
	Instalment *Instalment `json:"instalment,omitempty"`

	DonorOrganisation string     `json:"donor_organisation,omitempty"` // the donor's name if it is an organisation
	PaymentID         *uuid.UUID `json:"payment_id,omitempty"`         // the payment, if it has no processor; nil for a card or bank debit
	Method            string     `json:"method,omitempty"`             // how it was paid; empty: by card or bank debit
	Described         string     `json:"described,omitempty"`          // shares, or a thing: the receipt says it in place of a value
	InReturn          *InReturn  `json:"in_return,omitempty"`          // nil: nothing was given in return
}

// InReturn is what a donor got in return for a gift (quid pro quo, 26 USC 6115).
type InReturn struct {
	What  string       `json:"what"`
	Value money.Amount `json:"value"` // the good-faith estimate
	Paid  money.Amount `json:"paid"`  // in all; the rest is the gift
}

// DonorName returns the donor's name as the receipt prints it: an organisation's, or a person's first and last name.
func (f Facts) DonorName() string {
	if f.DonorOrganisation != "" {
		return f.DonorOrganisation
	}
	return strings.TrimSpace(f.FirstName + " " + f.LastName)
}

// Instalment says which payment of a plan a donation is, as of the day it was paid.
type Instalment struct {
	Plan      uuid.UUID    `json:"plan"`
	PlanRef   string       `json:"plan_ref"` // for the link that manages it
	N         int          `json:"n"`
	Of        int          `json:"of,omitempty"` // 0: until the donor stops
	Frequency string       `json:"frequency"`
	Each      money.Amount `json:"each"`
	Sum       money.Amount `json:"sum,omitzero"`      // the sum of all payments, if their number is known
	LastOn    string       `json:"last_on,omitempty"` // YYYY-MM-DD in the entity's time zone
	NextOn    string       `json:"next_on,omitempty"` // empty: this is the last
}

// Dedication names the person that a donation honours or remembers.
type Dedication struct {
	Kind string `json:"kind"` // honour or memory
	Name string `json:"name"`
}

// Returned is what was returned to the donor before the receipt was issued.
type Returned struct {
	Charged money.Amount `json:"charged"` // the donation as received
	Amount  money.Amount `json:"amount"`  // in all
	On      string       `json:"on"`      // YYYY-MM-DD in Timezone: the last time
}

// Replaced is the receipt that this one replaces.
type Replaced struct {
	Number   string    `json:"number"` // as people write it
	IssuedAt time.Time `json:"issued_at"`
	Reason   Reason    `json:"reason"`
	On       string    `json:"on"` // YYYY-MM-DD in Timezone
}

// Line is the part of the donation that is for one fund.
type Line struct {
	FundID  uuid.UUID    `json:"fund_id"` // not shown
	Fund    string       `json:"fund"`    // its name, in the receipt's language
	Purpose string       `json:"purpose"` // what it is for, in the receipt's language
	Amount  money.Amount `json:"amount"`
}

// Reference returns the receipt's number as people write it: "TSNE-2026-000042".
func (r Receipt) Reference() string {
	prefix := r.Facts.NumberPrefix
	if prefix == "" {
		prefix = strings.ToUpper(r.Facts.EntitySlug)
	}
	return fmt.Sprintf("%s-%d-%06d", prefix, r.Year, r.Number)
}

// IssuedLocally returns when the receipt was issued in the zone of its other days; in UTC if the zone is not known.
func (r Receipt) IssuedLocally() time.Time {
	zone, err := time.LoadLocation(r.Facts.Timezone)
	if err != nil {
		zone = time.UTC
	}
	return r.IssuedAt.In(zone)
}

// EmailJob sends a receipt by email.
type EmailJob struct {
	ReceiptID uuid.UUID `json:"receipt_id"`
}

// Kind returns the job's kind, as rows of river_job have it.
func (EmailJob) Kind() string { return "receipt_letter" }

// Queue returns the queue in which the job waits.
func (EmailJob) Queue() jobs.QueueName { return jobs.Emails }
