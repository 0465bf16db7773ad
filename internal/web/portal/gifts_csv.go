package portal

import (
	"bytes"
	"encoding/csv"
	"net/http"
	"strings"
	"time"

	"konbit/internal/giving/donation"
	"konbit/internal/giving/donor"
	"konbit/internal/platform/securitylog"
	"konbit/internal/platform/sheet"
	"konbit/internal/web"
)

// giftsCSVGet sends the visitor's gifts for a spreadsheet: a row for each gift, the newest first, in the words of the
// page. It begins with a byte order mark, without which spreadsheets read other letters than English ones wrongly.
func (a *Area) giftsCSVGet(w http.ResponseWriter, r *http.Request, v web.DonorVisit) error {
	all, err := donation.History(r.Context(), a.DB, donor.IDs(v.Donors))
	if err != nil {
		return err
	}
	items, err := giftItems(v, all)
	if err != nil {
		return err
	}
	securitylog.Record(r.Context(), securitylog.DataCopied)
	file := bytes.NewBufferString("\ufeff")
	say := func(key string, args ...any) string { return a.View.Phrase(v.Language, key, args...) }
	rows := csv.NewWriter(file)
	var head []string
	for _, column := range []string{"day", "organisation", "for", "amount", "currency", "every", "receipt", "stays", "state"} {
		head = append(head, say("gifts_csv."+column))
	}
	_ = rows.Write(head) // Error returns the first error
	for _, g := range items {
		every, state, stays := "", "", ""
		if g.Every != "" {
			every = say("plan.every." + g.Every)
		}
		if g.State != "settled" {
			state = say("portal.state."+g.State, "amount", g.NetAmount)
		}
		if g.Number != "" {
			stays = g.NetAmount.Decimal()
		}
		row := []string{
			g.Day.Format(time.DateOnly), g.Organisation, strings.Join(g.Funds, "; "), g.Amount.Decimal(), string(g.Amount.Currency), every,
			g.Number, stays, state,
		}
		for i := range row {
			row[i] = sheet.CSVText(row[i])
		}
		_ = rows.Write(row)
	}
	rows.Flush()
	if err := rows.Error(); err != nil {
		return err
	}
	web.WriteFile(w, "text/csv; charset=utf-8", "gifts.csv", file.Bytes())
	return nil
}
