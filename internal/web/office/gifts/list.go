package gifts

import (
	"net/http"
	"strings"

	"github.com/jmoiron/sqlx"

	"konbit/internal/office/giftlist"
	"konbit/internal/platform/money"
	"konbit/internal/platform/phrase"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// ListPage is the list of gifts.
type ListPage struct {
	desk.Page
	List desk.List
}

// listGet shows a page of the gifts of a scope, or its rows as a file.
func (a *Area) listGet(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	var c chosen
	var total giftlist.Total
	var rows []giftlist.Gift
	var next *giftlist.Cursor
	var after giftlist.Cursor
	behind := desk.ReadCursor(r, &after)
	err := a.Read(r, v, func(tx *sqlx.Tx) (err error) {
		if c, err = a.read(r, v, tx); err != nil {
			return err
		}
		var page []giftlist.Key
		if page, next, err = giftlist.Keys(r.Context(), tx, c.Query, after, desk.PageSize); err != nil {
			return err
		}
		if rows, err = giftlist.ByKeys(r.Context(), tx, page); err != nil {
			return err
		}
		total, err = giftlist.Sum(r.Context(), tx, c.Query)
		return err
	})
	if err != nil {
		return err
	}
	if done, err := desk.WriteFile(w, r, "gifts", a.file(v, c, rows)); done || err != nil {
		return err
	}
	p := ListPage{Page: a.PageOf(r, v, "gifts")}
	p.List = desk.List{
		Says:    a.says(v, c, total),
		Search:  &desk.Search{Action: v.Path("gifts"), Label: a.say(v, "search"), Hint: a.say(v, "search_hint"), Value: c.Text, Kept: desk.Kept(r.URL, "q", "by")},
		Filters: a.filters(r, v, c, a.Now().In(desk.ZoneOf(v))),
		Table:   a.table(r, v, c, rows),
		Empty:   a.empty(v, c, next != nil),
		CSV:     file(r, "csv"), XLSX: file(r, "xlsx"), Export: exportPath(r, v),
	}
	if behind {
		p.List.First = desk.With(r.URL)
	}
	if next != nil {
		p.List.Next = desk.With(r.URL, "after", desk.Cursor(next))
	}
	return a.Write(w, http.StatusOK, "gifts", v.Language, p)
}

func (a *Area) say(v web.StaffVisit, key string, args ...any) string {
	return a.View.Phrase(v.Language, "office.gifts."+key, args...)
}

// file returns the address of the rows of this page in a format.
func file(r *http.Request, format string) string {
	after := r.URL.Query().Get("after")
	return desk.With(r.URL, "after", after, "format", format)
}

// says returns the sentence that says what the list has, and what it adds up to.
func (a *Area) says(v web.StaffVisit, c chosen, t giftlist.Total) string {
	var parts []string
	add := func(key string, args ...any) { parts = append(parts, a.say(v, key, args...)) }
	if c.As != "" {
		add("says.by."+string(c.As), "text", c.Text)
	}
	if !c.Month.IsZero() {
		add("says.month", "month", phrase.Month(v.Language, c.Month))
	}
	if c.Fund != nil {
		add("says.fund", "fund", c.Fund.Name.In(v.Language))
	}
	if c.State != "" {
		add("says.state", "state", strings.ToLower(a.say(v, "state."+c.State)))
	}
	if c.Source != "" {
		add("says.source", "source", strings.ToLower(a.say(v, "source."+c.Source)))
	}
	if c.Frequency != "" {
		add("says.source", "source", strings.ToLower(a.say(v, "every."+c.Frequency)))
	}
	which := strings.Join(parts, "")
	switch {
	case t.More:
		return a.say(v, "says.more", "which", which)
	case c.More:
		which += a.say(v, "says.more_donors")
	}
	return a.View.PhraseN(v.Language, "office.gifts.says", t.Gifts, "which", which, "total", money.New(t.Amount, v.Entity.Currency).Format(string(v.Language)))
}

// empty returns what an empty list says.
func (a *Area) empty(v web.StaffVisit, c chosen, more bool) string {
	switch {
	case more:
		return a.say(v, "empty.more")
	case c.As != "":
		return a.say(v, "empty.search")
	case c.Query.Status+c.Source+c.Frequency+c.State != "" || c.Fund != nil || !c.Month.IsZero():
		return a.say(v, "empty.filter")
	}
	return a.say(v, "empty")
}
