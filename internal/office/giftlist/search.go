package giftlist

import (
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/email"
	"konbit/internal/platform/money"
)

// Reading is what a text that is searched for can mean.
type Reading string

// The readings.
const (
	AsDonor   Reading = "donor"   // words of a name or a postal address, or an email address
	AsAmount  Reading = "amount"  // an amount
	AsReceipt Reading = "receipt" // the number of a receipt
	AsCard    Reading = "card"    // the last four digits of a card
	AsCharge  Reading = "charge"  // an id at the processor, or the reference of a gift
	AsPayout  Reading = "payout"
)

// mostDonors bounds how many donors a search by words finds.
const mostDonors = 1000

// Found is what a search has found.
type Found struct {
	Search
	As   Reading // how the text was read
	More bool    // more donors match than are found: a longer text finds fewer
}

var (
	fullReceipt = regexp.MustCompile(`^[\pL\pN]+(?:-[\pL\pN]+)*-(\d{4})-(\d{1,9})$`)
	yearReceipt = regexp.MustCompile(`^(\d{4})-(\d{1,9})$`)
	fourDigits  = regexp.MustCompile(`^[*•·xX. ]*(\d{4})$`)
	digits      = regexp.MustCompile(`^\d{1,9}$`)
	atProcessor = regexp.MustCompile(`^(ch|py|pi)_\w+$`)
	payoutRef   = regexp.MustCompile(`^po_\w+$`)
	reference   = regexp.MustCompile(`^[\w-]{22,64}$`)
)

// Readings returns what a text can mean, the likeliest first; none for an empty text. lang and the entity's currency say how an
// amount is written.
func Readings(text string, currency money.Currency, lang string) (all []Reading) {
	text = strings.TrimSpace(text)
	if text == "" {
		return nil
	}
	_, err := money.Parse(text, currency, lang)
	isAmount := err == nil
	switch {
	case payoutRef.MatchString(text):
		return []Reading{AsPayout}
	case atProcessor.MatchString(text):
		return []Reading{AsCharge}
	case strings.Contains(text, "@"):
		return []Reading{AsDonor}
	case fullReceipt.MatchString(text), yearReceipt.MatchString(text):
		return []Reading{AsReceipt, AsDonor}
	case fourDigits.MatchString(text) && !digits.MatchString(text):
		return []Reading{AsCard}
	}
	if isAmount {
		all = append(all, AsAmount)
	}
	if digits.MatchString(text) {
		if fourDigits.MatchString(text) {
			all = append(all, AsCard)
		}
		all = append(all, AsReceipt)
	}
	if reference.MatchString(text) && !isAmount {
		all = append(all, AsCharge)
	}
	return append(all, AsDonor)
}

// Look reads a text as one of its readings and returns the search for it in the scope of a query.
func Look(ctx context.Context, db sqlx.QueryerContext, in Query, text string, as Reading, currency money.Currency, lang string) (f Found, err error) {
	text = strings.TrimSpace(text)
	f.As = as
	switch as {
	case AsAmount:
		amount, err := money.Parse(text, currency, lang)
		if err != nil || amount.Minor <= 0 {
			f.Gifts = []uuid.UUID{}
			return f, nil //nolint:nilerr // no amount, so no gift of it
		}
		f.Amount = amount.Minor
	case AsPayout:
		f.Payout = text
	case AsReceipt:
		f.Gifts, err = giftsOfReceipt(ctx, db, in.EntityID, text)
	case AsCard:
		const query = `/* giftlist.Look */ SELECT c.donation_id FROM gift_of_card c WHERE c.entity_id = $1 AND c.card_last4 = $2 LIMIT 5000`
		f.Gifts = []uuid.UUID{}
		if found := fourDigits.FindStringSubmatch(text); found != nil {
			err = sqlx.SelectContext(ctx, db, &f.Gifts, query, in.EntityID, found[1])
		}
	case AsCharge:
		f.Gifts, err = giftsOfCharge(ctx, db, in.EntityID, text)
	default:
		err = f.donors(ctx, db, in, text)
	}
	return f, err
}

func giftsOfReceipt(ctx context.Context, db sqlx.QueryerContext, entity uuid.UUID, text string) ([]uuid.UUID, error) {
	const ofYear = `/* giftlist.Look */ SELECT r.donation_id FROM gift_of_receipt r WHERE r.entity_id = $1 AND r.year = $2 AND r.number = $3`
	const ofAny = `/* giftlist.Look */ SELECT r.donation_id FROM generate_series(2020, 2099) y JOIN gift_of_receipt r ON r.entity_id = $1 AND r.year = y AND r.number = $2`
	gifts := []uuid.UUID{}
	for _, pattern := range []*regexp.Regexp{fullReceipt, yearReceipt} {
		if found := pattern.FindStringSubmatch(text); found != nil {
			year, _ := strconv.Atoi(found[1]) // digits, as many as an int has
			number, _ := strconv.Atoi(found[2])
			return gifts, sqlx.SelectContext(ctx, db, &gifts, ofYear, entity, year, number)
		}
	}
	if !digits.MatchString(text) {
		return gifts, nil
	}
	number, _ := strconv.Atoi(text)
	return gifts, sqlx.SelectContext(ctx, db, &gifts, ofAny, entity, number)
}

func giftsOfCharge(ctx context.Context, db sqlx.QueryerContext, entity uuid.UUID, text string) ([]uuid.UUID, error) {
	const byRef = `/* giftlist.Look */ SELECT k.id FROM gift_key k WHERE k.entity_id = $1 AND k.public_ref = $2`
	const byCharge = `/* giftlist.Look */ SELECT c.donation_id FROM gift_of_charge c WHERE c.entity_id = $1 AND c.charge_ref = $2`
	const byIntent = `/* giftlist.Look */ SELECT i.donation_id FROM gift_of_intent i WHERE i.entity_id = $1 AND i.intent_ref = $2 AND i.donation_id IS NOT NULL`
	query := byRef
	switch {
	case strings.HasPrefix(text, "pi_"):
		query = byIntent
	case atProcessor.MatchString(text):
		query = byCharge
	}
	gifts := []uuid.UUID{}
	return gifts, sqlx.SelectContext(ctx, db, &gifts, query, entity, text)
}

// donors searches for donors by an email address, or by the words of their names and postal addresses.
func (f *Found) donors(ctx context.Context, db sqlx.QueryerContext, in Query, text string) error {
	const byEmail = `/* giftlist.Look */ SELECT r.id FROM donor_row r WHERE r.entity_id = $1 AND r.key = $2`
	const byWords = `/* giftlist.Look */ SELECT office_find_donors($1, $2, $3, $4)`
	f.Donors = []uuid.UUID{}
	if strings.Contains(text, "@") {
		return sqlx.SelectContext(ctx, db, &f.Donors, byEmail, in.EntityID, email.Normalize(text))
	}
	organisation := uuid.NullUUID{UUID: in.OrganisationID, Valid: in.OrganisationID != uuid.Nil}
	err := sqlx.SelectContext(ctx, db, &f.Donors, byWords, in.EntityID, organisation, text, mostDonors+1)
	if f.More = len(f.Donors) > mostDonors; f.More {
		f.Donors = slices.Clip(f.Donors[:mostDonors])
	}
	return err
}
