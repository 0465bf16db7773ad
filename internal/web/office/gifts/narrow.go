package gifts

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"konbit/internal/platform/money"
	"konbit/internal/platform/phrase"
	"konbit/internal/view"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// The first and last moment of a period that is open at one end.
var earliestDay, latestDay = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)

// readPeriod reads the days, the month or the fiscal year that an address names. Days are chosen before a month, and a month
// before a year.
func (c *chosen) readPeriod(r *http.Request, v web.StaffVisit) {
	zone, values := desk.ZoneOf(v), r.URL.Query()
	c.FromDay, c.ToDay = c.Unknown.DayOf(r, "from", zone), c.Unknown.DayOf(r, "to", zone)
	month, noMonth := time.ParseInLocation("2006-01", values.Get("month"), zone)
	if noMonth != nil || month.Year() < 2000 || month.Year() >= 2100 {
		c.Unknown.Add("month", values.Get("month"))
		month = time.Time{}
	}
	year, noYear := strconv.Atoi(values.Get("year"))
	if noYear != nil || year < 2000 || year >= 2100 {
		c.Unknown.Add("year", values.Get("year"))
		year = 0
	}
	switch {
	case !c.FromDay.IsZero() || !c.ToDay.IsZero():
		c.Query.From, c.Query.Until = earliestDay, latestDay
		if !c.FromDay.IsZero() {
			c.Query.From = c.FromDay
		}
		if !c.ToDay.IsZero() {
			c.Query.Until = c.ToDay.AddDate(0, 0, 1)
		}
	case !month.IsZero():
		c.Month, c.Query.From, c.Query.Until = month, month, month.AddDate(0, 1, 0)
	case year != 0:
		c.Year = year
		c.Query.From, c.Query.Until = v.Entity.FiscalYear(year)
	}
}

// readAmounts reads the least and the most amount that an address names.
func (c *chosen) readAmounts(r *http.Request, v web.StaffVisit) {
	for name, bound := range map[string]*int64{"least": &c.Query.Least, "most": &c.Query.Most} {
		typed := r.URL.Query().Get(name)
		if amount, err := money.Parse(typed, v.Entity.Currency, string(v.Language)); err == nil && amount.Minor > 0 {
			*bound = amount.Minor
		} else {
			c.Unknown.Add(name, typed)
		}
	}
}

// saysNarrow returns what the sentence of the list says of days and amounts.
func (a *Area) saysNarrow(v web.StaffVisit, c chosen) (parts []string) {
	for _, day := range []struct {
		key string
		at  time.Time
	}{{"says.from", c.FromDay}, {"says.to", c.ToDay}} {
		if !day.at.IsZero() {
			parts = append(parts, a.say(v, day.key, "day", phrase.Date(v.Language, day.at)))
		}
	}
	for _, bound := range []struct {
		key   string
		minor int64
	}{{"says.least", c.Query.Least}, {"says.most", c.Query.Most}} {
		if bound.minor != 0 {
			parts = append(parts, a.say(v, bound.key, "amount", money.New(bound.minor, v.Entity.Currency)))
		}
	}
	return parts
}

// narrow returns the form of the filters that are typed.
func (a *Area) narrow(r *http.Request, v web.StaffVisit, c chosen) *desk.Narrow {
	typed := []string{"month", "from", "to", "least", "most"}
	n := &desk.Narrow{Label: a.say(v, "narrow"), Action: r.URL.Path, Kept: desk.Kept(r.URL, append(typed, "year")...)}
	n.Chosen = c.Query.Least != 0 || c.Query.Most != 0 || !c.FromDay.IsZero() || !c.ToDay.IsZero()
	if c.Year != 0 {
		n.Kept = append(n.Kept, desk.Hidden{Name: "year", Value: strconv.Itoa(c.Year)})
	}
	month := ""
	if !c.Month.IsZero() {
		month = c.Month.Format("2006-01")
	}
	fields := map[string]view.Field{
		"month": {Type: "month", Value: month, FieldText: view.FieldText{Hint: a.say(v, "field.month_hint")}},
		"from":  {Type: "date", Value: dayText(c.FromDay)}, "to": {Type: "date", Value: dayText(c.ToDay)},
		"least": {Type: "text", Mode: "decimal", Value: r.URL.Query().Get("least")}, "most": {Type: "text", Mode: "decimal", Value: r.URL.Query().Get("most")},
	}
	for _, name := range typed {
		f := fields[name]
		f.Name, f.Label, f.Autocomplete, f.HideOptional = name, a.say(v, "field."+name), "off", true
		n.Fields = append(n.Fields, f)
	}
	return n
}

func dayText(day time.Time) string {
	if day.IsZero() {
		return ""
	}
	return day.Format(time.DateOnly)
}

// The numbers of links that a filter has at most.
const (
	monthsShown = 2 // the form takes any other
	fundsShown  = 12
)

// filters returns the groups of links of the list, and those that are folded. now is the moment by the business clock.
func (a *Area) filters(r *http.Request, v web.StaffVisit, c chosen, now time.Time) (all, more []desk.Filter) {
	say := func(key string) string { return a.View.Phrase(v.Language, "office.gifts."+key) }
	group := func(label, name, chosen, none string, values []string, words func(string) string) {
		f := desk.Filter{Label: say("filter." + label), Options: []desk.Option{{Label: none, URL: desk.With(r.URL, name, ""), Current: chosen == ""}}}
		if name == "month" {
			f.Options[0].URL, f.Options[0].Current = desk.With(r.URL, "month", "", "year", "", "from", "", "to", ""), c.Query.From.IsZero()
		}
		for _, value := range values {
			to := []string{name, value}
			if name == "month" {
				to = append(to, "year", "", "from", "", "to", "") // these are chosen instead of each other
			}
			f.Options = append(f.Options, desk.Option{Label: words(value), URL: desk.With(r.URL, to...), Current: value == chosen})
		}
		all = append(all, f)
	}
	if len(c.Readings) > 1 {
		f := desk.Filter{Label: say("filter.by")}
		for _, reading := range c.Readings {
			f.Options = append(f.Options, desk.Option{Label: say("by." + string(reading)), URL: desk.With(r.URL, "by", string(reading)),
				Current: reading == c.As})
		}
		all = append(all, f)
	}
	first := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, desk.ZoneOf(v))
	var months []string
	for i := range monthsShown {
		months = append(months, first.AddDate(0, -i, 0).Format("2006-01"))
	}
	month := ""
	if !c.Month.IsZero() {
		month = c.Month.Format("2006-01")
		if !slices.Contains(months, month) {
			months = append(months, month)
		}
	}
	group("month", "month", month, say("any.month"), months, func(value string) string {
		at, _ := time.Parse("2006-01", value) // as it was formatted
		return phrase.Month(v.Language, at)
	})
	shown := len(all)
	if all = append(all, a.organisationFilter(r, v, say)...); len(fundsOf(v)) <= fundsShown {
		var codes []string
		for _, f := range fundsOf(v) {
			codes = append(codes, f.Code)
		}
		code := ""
		if c.Fund != nil {
			code = c.Fund.Code
		}
		group("fund", "fund", code, say("any.fund"), codes, func(code string) string { return fundOf(v, code).Name.In(v.Language) })
	}
	group("state", "state", c.State, say("any.state"), states[1:], func(value string) string { return say("state." + value) })
	group("source", "source", c.Source, say("any.source"), sources[1:], func(value string) string { return say("source." + value) })
	group("every", "every", c.Frequency, say("any.every"), frequencies[1:], func(value string) string { return say("every." + value) })
	return all[:shown:shown], append(all[shown:], yearFilter(r, v, c, now, say))
}

// yearsShown is how many fiscal years the filter has.
const yearsShown = 3

// yearFilter returns the links to the newest fiscal years.
func yearFilter(r *http.Request, v web.StaffVisit, c chosen, now time.Time, say func(string) string) desk.Filter {
	f := desk.Filter{Label: say("filter.year"), Options: []desk.Option{{Label: say("any.year"), URL: desk.With(r.URL, "year", ""), Current: c.Year == 0}}}
	newest := v.Entity.FiscalYearOf(now)
	var years []int
	for i := range yearsShown {
		years = append(years, newest-i)
	}
	if c.Year != 0 && !slices.Contains(years, c.Year) {
		years = append(years, c.Year)
	}
	for _, year := range years {
		f.Options = append(f.Options, desk.Option{
			Label: yearName(v, year), URL: desk.With(r.URL, "month", "", "from", "", "to", "", "year", strconv.Itoa(year)), Current: year == c.Year,
		})
	}
	return f
}

// yearName returns the name of a fiscal year: the calendar year, or its first and last month.
func yearName(v web.StaffVisit, year int) string {
	from, until := v.Entity.FiscalYear(year)
	if from.Month() == time.January {
		return strconv.Itoa(year)
	}
	return phrase.Month(v.Language, from) + " – " + phrase.Month(v.Language, until.AddDate(0, -1, 0))
}

// organisationFilter returns the links to the organisations, for who sees all of them.
func (a *Area) organisationFilter(r *http.Request, v web.StaffVisit, say func(string) string) []desk.Filter {
	all := organisations(v)
	whole := v.Scope
	whole.OrganisationID = uuid.NullUUID{}
	if len(all) < 2 || len(all) > fundsShown || !v.Has(whole, desk.Readers...) {
		return nil
	}
	f := desk.Filter{Label: say("filter.org"), Options: []desk.Option{{Label: say("any.org"), URL: desk.With(r.URL, "org", "", "fund", ""),
		Current: v.Organisation == nil}}}
	for _, o := range all {
		f.Options = append(f.Options, desk.Option{
			Label: o.Name.In(v.Language), URL: desk.With(r.URL, "org", o.Slug, "fund", ""), Current: v.Organisation != nil && v.Organisation.ID == o.ID,
		})
	}
	return []desk.Filter{f}
}
