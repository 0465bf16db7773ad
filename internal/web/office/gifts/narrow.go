package gifts

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"konbit/internal/platform/fault"
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
	c.FromDay, c.ToDay = c.dayOf(r, "from", zone), c.dayOf(r, "to", zone)
	if !c.FromDay.IsZero() && !c.ToDay.IsZero() && c.ToDay.Before(c.FromDay) {
		c.wrong("to", "days_reversed")
	}
	month, noMonth := time.ParseInLocation("2006-01", values.Get("month"), zone)
	if noMonth != nil || month.Year() < 2000 || month.Year() >= 2100 {
		if values.Get("month") != "" {
			c.wrong("month", "month")
		}
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
		} else if typed != "" {
			c.wrong(name, "amount")
		}
	}
	if c.Query.Least != 0 && c.Query.Most != 0 && c.Query.Most < c.Query.Least {
		c.wrong("most", "amounts_reversed")
	}
}

// wrong notes what is wrong with a field of the form: the phrase office.gifts.narrow.KEY.
func (c *chosen) wrong(name, key string) {
	c.Wrong = append(c.Wrong, fault.Field{Name: name, Phrase: "office.gifts.narrow." + key})
}

// dayOf returns the beginning of a day that the address names; zero if it names none.
func (c *chosen) dayOf(r *http.Request, name string, zone *time.Location) time.Time {
	var unknown desk.Unknown
	day := unknown.DayOf(r, name, zone)
	if len(unknown) > 0 {
		c.wrong(name, "day")
	}
	return day
}

// longestTyped bounds what was typed wrongly and stands in its field again, in characters.
const longestTyped = 40

// saysNarrow returns what the sentence of the list says of days and amounts.
func (a *Area) saysNarrow(v web.StaffVisit, c chosen) (parts []string) {
	amount := func(minor int64) money.Amount { return money.New(minor, v.Entity.Currency) }
	switch from, to := phrase.Date(v.Language, c.FromDay), phrase.Date(v.Language, c.ToDay); {
	case !c.FromDay.IsZero() && c.FromDay.Equal(c.ToDay):
		parts = append(parts, a.say(v, "says.on", "day", from))
	case !c.FromDay.IsZero() && !c.ToDay.IsZero():
		parts = append(parts, a.say(v, "says.days", "from", from, "to", to))
	case !c.FromDay.IsZero():
		parts = append(parts, a.say(v, "says.from", "day", from))
	case !c.ToDay.IsZero():
		parts = append(parts, a.say(v, "says.to", "day", to))
	}
	switch least, most := c.Query.Least, c.Query.Most; {
	case least != 0 && least == most:
		parts = append(parts, a.say(v, "says.exactly", "amount", amount(least)))
	case least != 0 && most != 0:
		parts = append(parts, a.say(v, "says.amounts", "least", amount(least), "most", amount(most)))
	case least != 0:
		parts = append(parts, a.say(v, "says.least", "amount", amount(least)))
	case most != 0:
		parts = append(parts, a.say(v, "says.most", "amount", amount(most)))
	}
	return parts
}

// narrow returns the form of the filters that are typed.
func (a *Area) narrow(r *http.Request, v web.StaffVisit, c chosen) *desk.Narrow {
	typed := []string{"month", "from", "to", "least", "most"}
	n := &desk.Narrow{Label: a.say(v, "narrow"), Action: r.URL.Path, Kept: desk.Kept(r.URL, append(typed, "year")...)}
	n.Chosen = c.Query.Least != 0 || c.Query.Most != 0 || !c.FromDay.IsZero() || !c.ToDay.IsZero() || len(c.Wrong) > 0
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
		for _, wrong := range c.Wrong {
			if wrong.Name == name {
				value := []rune(r.URL.Query().Get(name))
				f.Error, f.Value = a.View.ErrorText(v.Language, wrong), string(value[:min(len(value), longestTyped)])
			}
		}
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
