package giftimport

import (
	"context"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"konbit/internal/giving/donor"
	"konbit/internal/office/offline"
	"konbit/internal/platform/email"
)

// known is a donor whom a row may be of.
type known struct {
	ID         uuid.UUID  `db:"id"`
	Kind       donor.Kind `db:"kind"`
	Email      string     `db:"email"`
	Name       string     `db:"name"` // in lower case
	PostalCode string     `db:"postal_code"`
}

// Look finds the donors of rows, and points out what may be a gift that is here already, or twice in the file.
//
//	a donor has the row's email address              that donor
//	one donor has its name and postal code           that donor
//	a donor has its name, and no more is known       a new donor, and a doubt
//
// The meaning of a row is read again with its donor.
func (c Checker) Look(ctx context.Context, q sqlx.QueryerContext, rows []Checked) error {
	emails, names := map[string][]known{}, map[string][]known{}
	if err := c.find(ctx, q, rows, emails, names); err != nil {
		return err
	}
	first := map[string]int{} // the line of each new donor
	for i := range rows {
		r := &rows[i]
		if len(r.Bad) > 0 {
			continue
		}
		c.donorOf(r, emails, names, first)
	}
	if err := c.duplicates(ctx, q, rows); err != nil {
		return err
	}
	twiceInFile(rows)
	return nil
}

func (c Checker) find(ctx context.Context, q sqlx.QueryerContext, rows []Checked, emails, names map[string][]known) error {
	const query = `/* giftimport.find */ SELECT id, kind, coalesce(email, '') AS email, name, postal_code FROM gift_import_donor
		WHERE entity_id = $1 AND (email = ANY($2::text[]) OR name = ANY($3::text[]))`
	var addresses, words []string
	for _, r := range rows {
		if address := addressOf(r); address != "" {
			addresses = append(addresses, address)
		}
		if r.Donor.Name != "" {
			words = append(words, strings.ToLower(r.Donor.Name))
		}
	}
	var found []known
	if err := sqlx.SelectContext(ctx, q, &found, query, c.Entity.ID, pq.Array(addresses), pq.Array(words)); err != nil {
		return err
	}
	for _, k := range found {
		if k.Email != "" {
			emails[k.Email] = append(emails[k.Email], k)
		}
		names[k.Name] = append(names[k.Name], k)
	}
	return nil
}

func addressOf(r Checked) string { return email.Normalize(email.Clean(r.Typed["email"])) }

// donorOf chooses a row's donor.
func (c Checker) donorOf(r *Checked, emails, names map[string][]known, first map[string]int) {
	address, name := addressOf(*r), strings.ToLower(r.Donor.Name)
	chosen := known{}
	if found := emails[address]; address != "" && len(found) > 0 {
		chosen = found[0]
	} else {
		var same, like []known
		for _, k := range names[name] {
			switch {
			case k.PostalCode != "" && k.PostalCode == r.Typed["postal_code"] && (address == "" || k.Email == ""):
				same = append(same, k)
			default:
				like = append(like, k)
			}
		}
		if len(same) == 1 {
			chosen = same[0]
		} else if len(same)+len(like) > 0 {
			r.Doubts = append(r.Doubts, Doubt{Phrase: "name"})
		}
	}
	if chosen.ID != uuid.Nil {
		rows := offline.Checker{Catalog: c.Catalog, Entity: c.Entity, ReceivedOn: r.ReceivedOn, Language: "en"}
		rows.Language = languageOf(c.Mapping)
		meaning, bad := rows.Check(r.Typed, offline.Choice{ID: chosen.ID, Kind: chosen.Kind})
		r.Donor.ID, r.Meaning, r.Bad = chosen.ID, meaning, bad
		return
	}
	key := address
	if key == "" {
		key = name + "\n" + r.Typed["postal_code"]
	}
	if line, ok := first[key]; ok {
		r.SameAs = line
		return
	}
	first[key] = r.Line
}

// duplicates points out gifts that are here with the number and amount of a row, and gifts of the same donor, day and amount.
func (c Checker) duplicates(ctx context.Context, q sqlx.QueryerContext, rows []Checked) error {
	const query = `/* giftimport.duplicates */ SELECT number, paid, donor_id, public_ref, received_on::text AS received_on FROM gift_import_gift
		WHERE entity_id = $1 AND (number <> '' AND number = ANY($2::text[]) OR donor_id = ANY($3::uuid[]))`
	var numbers, donors []string
	for _, r := range rows {
		if r.Meaning.Number != "" {
			numbers = append(numbers, r.Meaning.Number)
		}
		if r.Donor.ID != uuid.Nil {
			donors = append(donors, r.Donor.ID.String())
		}
	}
	var found []struct {
		Number     string    `db:"number"`
		Paid       int64     `db:"paid"`
		DonorID    uuid.UUID `db:"donor_id"`
		PublicRef  string    `db:"public_ref"`
		ReceivedOn string    `db:"received_on"`
	}
	if err := sqlx.SelectContext(ctx, q, &found, query, c.Entity.ID, pq.Array(numbers), pq.Array(donors)); err != nil {
		return err
	}
	byNumber, byDay := map[string]string{}, map[string]string{}
	for _, f := range found {
		amount := strconv.FormatInt(f.Paid, 10)
		if f.Number != "" {
			byNumber[f.Number+"\n"+amount] = f.PublicRef
		}
		byDay[f.DonorID.String()+"\n"+f.ReceivedOn+"\n"+amount] = f.PublicRef
	}
	for i := range rows {
		r := &rows[i]
		amount := strconv.FormatInt(r.Meaning.Minor, 10)
		if ref, ok := byNumber[r.Meaning.Number+"\n"+amount]; ok && r.Meaning.Number != "" {
			r.Doubts = append(r.Doubts, Doubt{Phrase: "gift_number", Gift: ref})
		} else if ref, ok := byDay[r.Donor.ID.String()+"\n"+r.ReceivedOn.String()+"\n"+amount]; ok {
			r.Doubts = append(r.Doubts, Doubt{Phrase: "gift_day", Gift: ref})
		}
	}
	return nil
}

// twiceInFile points out rows that are the same gift as an earlier one: number and amount, or donor, day and amount.
func twiceInFile(rows []Checked) {
	seen := map[string]int{}
	for i := range rows {
		r := &rows[i]
		if len(r.Bad) > 0 {
			continue
		}
		key := strings.Join([]string{strings.ToLower(r.Donor.Name), r.ReceivedOn.String(), strconv.FormatInt(r.Meaning.Minor, 10), r.Meaning.Number}, "\n")
		if line, ok := seen[key]; ok {
			r.Doubts = append(r.Doubts, Doubt{Phrase: "line", Line: line})
			continue
		}
		seen[key] = r.Line
	}
}
