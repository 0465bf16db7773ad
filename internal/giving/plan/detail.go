package plan

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// Detail is the detail of an event or a request, stored as JSON. Fields that do not apply are zero. Amounts are in
// minor units.
type Detail struct {
	N            int        `json:"n,omitempty"`      // payments so far
	Amount       int64      `json:"amount,omitempty"` // of each charge
	Covered      int64      `json:"covered,omitempty"`
	Frequency    string     `json:"frequency,omitempty"`
	Months       int        `json:"months,omitempty"` // length of a pause
	Until        *time.Time `json:"until,omitempty"`  // end of a pause, or of a card's validity
	Next         *time.Time `json:"next,omitempty"`   // next charge
	Code         string     `json:"code,omitempty"`   // Stripe's decline code
	Invoice      string     `json:"invoice,omitempty"`
	Final        bool       `json:"final,omitempty"`  // the payment is not retried automatically
	Method       string     `json:"method,omitempty"` // Stripe's id of a card
	Customer     string     `json:"customer,omitempty"`
	Donor        string     `json:"donor,omitempty"`        // the id of the donor who opened Stripe's page for a new card
	Subscription string     `json:"subscription,omitempty"` // another than the plan's own
	Last4        string     `json:"last4,omitempty"`
	Brand        string     `json:"brand,omitempty"`
	Given        int64      `json:"given,omitempty"`   // sum of all payments so far
	Reason       string     `json:"reason,omitempty"`  // the donor's answer why they cancelled
	DatesChanged bool       `json:"repaced,omitempty"` // the change moves the dates of the charges
	Parts        []Part     `json:"parts,omitempty"`

	Ends            *time.Time `json:"ends,omitempty"`             // when the subscription ends
	Before          int64      `json:"before,omitempty"`           // amount of each charge before a change
	FrequencyBefore string     `json:"frequency_before,omitempty"` // before a change
}

// Part is a fund's share of each charge, in minor units.
type Part struct {
	FundID  uuid.UUID `json:"fund"`
	Amount  int64     `json:"amount"`
	Covered int64     `json:"covered"`
}

// Value implements driver.Valuer.
func (d Detail) Value() (driver.Value, error) {
	text, err := json.Marshal(d)
	return string(text), err
}

// Scan implements sql.Scanner.
func (d *Detail) Scan(value any) error {
	text, ok := value.([]byte)
	if !ok {
		return fmt.Errorf("plan: a detail is JSON, not %T", value)
	}
	return json.Unmarshal(text, d)
}
