package giftlist

import (
	"context"
	"regexp"
	"slices"
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
	AsCard    Reading = "card"    // the last four digits of a card: of a recurring gift's, or of one that the processor found
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

// CardDigits returns the last four digits of a card, if a text can be read so; empty otherwise.
func CardDigits(text string) string {
	if found := fourDigits.FindStringSubmatch(strings.TrimSpace(text)); found != nil {
		return found[1]
	}
	return ""
}

var (
	fullReceipt = regexp.MustCompile(`^[\pL\pN]+(?:-[\pL\pN]+)*-(\d{4})-(\d{1,9})$`)
	yearReceipt = regexp.MustCompile(`^(\d{4})-(\d{1,9})$`)
	fourDigits  = regexp.MustCompile(`^[*•·xX. ]*(\d{4})$`)
	digits      = regexp.MustCompile(`^\d{1,9}$`)
	atProcessor = regexp.MustCompile(`^(ch|py|pi|re|pyr)_\w+$`)
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

// Look reads a text as one of its readings and returns the search for it in the scope of a query. charges are those that a card with
// these digits paid, by the processor: the digits of a gift given once are not stored.
func Look(
	ctx context.Context, db sqlx.QueryerContext, in Query, text string, as Reading, currency money.Currency, lang string, charges []string,
) (f Found, err error) {
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
		f.Gifts = []uuid.UUID{}
		if digits := CardDigits(text); digits != "" {
			f.Gifts, err = giftsOfCard(ctx, db, in.EntityID, digits, charges)
		}
	case AsCharge:
		f.Gifts, err = giftsOfCharge(ctx, db, in.EntityID, text)
	default:
		err = f.donors(ctx, db, in, text)
	}
	return f, err
}

func giftsOfReceipt(ctx context.Context, db sqlx.QueryerContext, entity uuid.UUID, text string) ([]uuid.UUID, error) {
	for _, pattern := range []*regexp.Regexp{fullReceipt, yearReceipt} {
		if found := pattern.FindStringSubmatch(text); found != nil {
			return giftsBy(ctx, db, entity, "receipt", "", found[1], found[2])
		}
	}
	if !digits.MatchString(text) {
		return []uuid.UUID{}, nil
	}
	return giftsBy(ctx, db, entity, "receipt", "", nil, text)
}

func giftsOfCard(ctx context.Context, db sqlx.QueryerContext, entity uuid.UUID, digits string, charges []string) ([]uuid.UUID, error) {
	recurring, err := giftsBy(ctx, db, entity, "card", digits, nil, nil)
	if err != nil || len(charges) == 0 {
		return recurring, err
	}
	charged, err := giftsBy(ctx, db, entity, "charge", strings.Join(charges, " "), nil, nil)
	return append(recurring, charged...), err
}

func giftsOfCharge(ctx context.Context, db sqlx.QueryerContext, entity uuid.UUID, text string) ([]uuid.UUID, error) {
	const byRef = `/* giftlist.Look */ SELECT k.id FROM gift_key k WHERE k.entity_id = $1 AND k.public_ref = $2`
	switch {
	case strings.HasPrefix(text, "pi_"):
		return giftsBy(ctx, db, entity, "intent", text, nil, nil)
	case strings.HasPrefix(text, "re_"), strings.HasPrefix(text, "pyr_"):
		return giftsBy(ctx, db, entity, "refund", text, nil, nil)
	case atProcessor.MatchString(text):
		return giftsBy(ctx, db, entity, "charge", text, nil, nil)
	}
	gifts := []uuid.UUID{}
	err := sqlx.SelectContext(ctx, db, &gifts, byRef, entity, text)
	return gifts, err
}

// giftsBy returns the gifts that are known by a value, or by the year and number of a receipt.
func giftsBy(ctx context.Context, db sqlx.QueryerContext, entity uuid.UUID, knownBy, value string, year, number any) ([]uuid.UUID, error) {
	const query = `/* giftlist.Look */ SELECT office_find_gifts($1, $2, $3, $4, $5)`
	gifts := []uuid.UUID{}
	err := sqlx.SelectContext(ctx, db, &gifts, query, entity, knownBy, value, year, number)
	return gifts, err
}

// PayoutID returns the id of a payout by its reference at the processor; uuid.Nil if the reader sees no gift in it.
func PayoutID(ctx context.Context, db sqlx.QueryerContext, entity uuid.UUID, ref string) (uuid.UUID, error) {
	const query = `/* giftlist.PayoutID */ SELECT p.payout_id FROM gift_of_payout p WHERE p.entity_id = $1 AND p.payout_ref = $2 LIMIT 1`
	var ids []uuid.UUID
	if err := sqlx.SelectContext(ctx, db, &ids, query, entity, strings.TrimSpace(ref)); err != nil || len(ids) == 0 {
		return uuid.Nil, err
	}
	return ids[0], nil
}

// donors searches for donors by an email address, or by the words of their names, postal and email addresses.
func (f *Found) donors(ctx context.Context, db sqlx.QueryerContext, in Query, text string) error {
	const byEmail = `/* giftlist.Look */ SELECT r.id FROM donor_row r WHERE r.entity_id = $1 AND r.key = $2`
	const byWords = `/* giftlist.Look */ SELECT office_find_donors($1, $2, $3, $4)`
	f.Donors = []uuid.UUID{}
	if strings.Contains(text, "@") {
		err := sqlx.SelectContext(ctx, db, &f.Donors, byEmail, in.EntityID, email.Normalize(text))
		if err != nil || len(f.Donors) > 0 {
			return err
		}
	}
	organisation := uuid.NullUUID{UUID: in.OrganisationID, Valid: in.OrganisationID != uuid.Nil}
	err := sqlx.SelectContext(ctx, db, &f.Donors, byWords, in.EntityID, organisation, text, mostDonors+1)
	if f.More = len(f.Donors) > mostDonors; f.More {
		f.Donors = slices.Clip(f.Donors[:mostDonors])
	}
	return err
}
