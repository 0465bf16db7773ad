package today

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/ledger"
	"konbit/internal/view/chart"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// monthForm is the form of a month in addresses.
const monthForm = "2006-01"

// sums are the sums of which the pictures are made, in minor units.
type sums struct {
	by map[ledger.Account]map[uuid.UUID]int64 // by account and fund
}

func (s sums) of(accounts ...ledger.Account) (total int64) {
	for _, account := range accounts {
		for _, amount := range s.by[account] {
			total += amount
		}
	}
	return total
}

func readSums(r *http.Request, tx *sqlx.Tx, m ledger.Months) (s sums, err error) {
	s.by = map[ledger.Account]map[uuid.UUID]int64{}
	rows, err := ledger.SumsByMonth(r.Context(), tx, m)
	for _, row := range rows {
		if s.by[row.Account] == nil {
			s.by[row.Account] = map[uuid.UUID]int64{}
		}
		s.by[row.Account][row.FundID] += row.Amount
	}
	return s, err
}

// monthOf returns the first day of the month that an address names; else of the present one. today is the present day.
func (a *Area) monthOf(r *http.Request, v web.StaffVisit) (first, today ledger.Date) {
	today = ledger.DateOf(a.Now(), desk.ZoneOf(v))
	first = today.FirstOfMonth(0)
	if typed, err := time.Parse(monthForm, r.URL.Query().Get("month")); err == nil && typed.Year() >= 2000 && typed.Year() < 2100 {
		if chosen := ledger.DateOf(typed, time.UTC); chosen.String() < first.String() {
			first = chosen
		}
	}
	return first, today
}

func monthText(d ledger.Date) string { return d.String()[:len(monthForm)] }

// month returns the pictures of a month.
func (a *Area) month(r *http.Request, v web.StaffVisit, tx *sqlx.Tx) (m Month, charts []Chart, err error) {
	first, today := a.monthOf(r, v)
	funds := fundsOf(v)
	m = Month{Name: a.sentence(v, "office.today.on_day", "day", a.monthName(v, first)), Before: address(v, "", "month", monthText(first.FirstOfMonth(-1)))}
	if present := today.FirstOfMonth(0); first != present {
		m.After = address(v, "", "month", monthText(first.FirstOfMonth(1)))
	}
	now, err := ledger.GivenByDay(r.Context(), tx, v.Entity.ID, first, first.FirstOfMonth(1), funds)
	if err != nil {
		return m, nil, err
	}
	before, err := ledger.GivenByDay(r.Context(), tx, v.Entity.ID, first.FirstOfMonth(-12), first.FirstOfMonth(-11), funds)
	if err != nil {
		return m, nil, err
	}
	booked, err := readSums(r, tx, ledger.Months{EntityID: v.Entity.ID, From: first, Until: first.FirstOfMonth(1), Funds: funds,
		Accounts: append([]ledger.Account{ledger.ProcessingFees, ledger.DisputeFees}, ledger.GiftAccounts...)})
	if err != nil {
		return m, nil, err
	}
	held, err := readSums(r, tx, ledger.Months{EntityID: v.Entity.ID, From: ledger.Date{Year: 2000, Month: 1, Day: 1}, Until: ledger.Date{Year: 2100,
		Month: 1, Day: 1}, Funds: funds,
		Accounts: []ledger.Account{ledger.StripeClearing, ledger.PayoutsInTransit, ledger.DisputedFundsWithheld, ledger.UndepositedChecks, ledger.Bank}})
	if err != nil {
		return m, nil, err
	}
	return m, []Chart{a.byDay(v, first, today, now, before), a.byFund(v, first, booked), a.fees(v, first, booked), a.whereMoneyIs(v, held)}, nil
}

// monthName returns a month as people write it, without a day.
func (a *Area) monthName(v web.StaffVisit, first ledger.Date) string {
	months := strings.Split(v.Language.Calendar().Months, ",")
	return a.say(v, "office.today.month", "month", months[first.Month-1], "year", strconv.Itoa(first.Year))
}

// byDay shows gifts by day beside those of the same month a year ago. Of the present month it compares the days up to today.
func (a *Area) byDay(v web.StaffVisit, first, today ledger.Date, now, before []ledger.DaySum) Chart {
	last := daysIn(first)
	compared := last
	if first == today.FirstOfMonth(0) {
		compared = today.Day
	}
	d := chart.Days{ID: "chart-days", Labels: make([]string, last), Now: chart.Series{Values: make([]int64, last)},
		Before: chart.Series{Values: make([]int64, last)}}
	for _, day := range []int{1, 10, 20, last} {
		d.Labels[day-1] = strconv.Itoa(day)
	}
	var total, then, thenSoFar int64
	for _, s := range now {
		d.Now.Values[s.Day.Day-1] = s.Amount
		total += s.Amount
	}
	for _, s := range before {
		then += s.Amount
		if s.Day.Day <= compared {
			thenSoFar += s.Amount
		}
		if s.Day.Day <= last {
			d.Before.Values[s.Day.Day-1] = s.Amount
		}
	}
	name, past := a.monthName(v, first), a.monthName(v, first.FirstOfMonth(-12))
	c := Chart{ID: d.ID, URL: address(v, "entries", "of", "gifts", "month", monthText(first))}
	key := "office.today.days_first"
	percent := int64(0)
	switch {
	case total == 0:
		key = "office.today.days_none"
	case thenSoFar > 0:
		percent = (100*(total-thenSoFar) + thenSoFar/2) / thenSoFar
		switch {
		case percent > 0:
			key = "office.today.days_more"
		case percent < 0:
			key, percent = "office.today.days_less", -percent
		default:
			key = "office.today.days_same"
		}
	}
	c.Says = a.sentence(v, key, "month", name, "amount", a.amount(v, total), "percent", strconv.FormatInt(percent, 10))
	d.Title = a.say(v, "office.today.days_title", "month", name, "past", past)
	d.Desc = c.Says
	d.Now.Name = name + " " + a.amount(v, total).Format(string(v.Language))
	d.Before.Name = past + " " + a.amount(v, then).Format(string(v.Language))
	c.SVG = d.SVG()
	c.Table = desk.Table{Caption: d.Title, Columns: []desk.Column{
		{Name: "day", Label: a.say(v, "office.today.day")}, {Name: "given", Label: name, Number: true}, {Name: "a_year_ago", Label: past, Number: true}}}
	for i := range last {
		if d.Now.Values[i] == 0 && d.Before.Values[i] == 0 {
			continue
		}
		day, old := first, first.FirstOfMonth(-12)
		day.Day, old.Day = i+1, i+1
		cell, past := desk.AmountCell(a.amount(v, d.Now.Values[i])), desk.AmountCell(a.amount(v, d.Before.Values[i]))
		cell.URL = address(v, "entries", "of", "gifts", "day", day.String())
		if d.Before.Values[i] != 0 {
			past.URL = address(v, "entries", "of", "gifts", "day", old.String())
		}
		c.Table.Rows = append(c.Table.Rows, desk.Row{Cells: []desk.Cell{{Day: midnight(day)}, cell, past}})
	}
	sum, sumThen := desk.AmountCell(a.amount(v, total)), desk.AmountCell(a.amount(v, then))
	sum.URL, sumThen.URL = c.URL, address(v, "entries", "of", "gifts", "month", monthText(first.FirstOfMonth(-12)))
	c.Table.Total = []desk.Cell{{Text: a.say(v, "office.today.sum")}, sum, sumThen}
	return c
}

// sentence returns a phrase with a capital at its beginning: months are written small in some languages.
func (a *Area) sentence(v web.StaffVisit, key string, args ...any) string {
	text := a.say(v, key, args...)
	first, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(first)) + text[size:]
}

func daysIn(first ledger.Date) int {
	return time.Date(first.Year, first.Month+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// line is a row of the picture of bars.
type line struct {
	label string
	minor int64
	url   string
}

// bars returns a picture of bars with its table.
func (a *Area) bars(v web.StaffVisit, id, title, head, says, url string, lines []line, total *line) Chart {
	b := chart.Bars{ID: id, Title: title, Desc: says}
	c := Chart{ID: id, Says: says, URL: url, Table: desk.Table{Caption: title, Columns: []desk.Column{
		{Name: "name", Label: head}, {Name: "amount", Label: a.say(v, "office.today.amount"), Number: true}}}}
	for _, l := range lines {
		amount := a.amount(v, l.minor)
		b.Bars = append(b.Bars, chart.Bar{Label: l.label, Value: l.minor, Text: amount.Format(string(v.Language))})
		cell := desk.AmountCell(amount)
		cell.URL = l.url
		c.Table.Rows = append(c.Table.Rows, desk.Row{Cells: []desk.Cell{{Text: l.label}, cell}})
	}
	if total != nil {
		cell := desk.AmountCell(a.amount(v, total.minor))
		cell.URL = total.url
		c.Table.Total = []desk.Cell{{Text: total.label}, cell}
	}
	c.SVG = b.SVG()
	return c
}

// most is how many funds the picture shows one by one.
const most = 12

func (a *Area) byFund(v web.StaffVisit, first ledger.Date, s sums) Chart {
	given := map[uuid.UUID]int64{}
	for _, account := range ledger.GiftAccounts {
		for id, amount := range s.by[account] {
			given[id] -= amount
		}
	}
	var lines []line
	var total int64
	for id, amount := range given {
		if amount == 0 {
			continue
		}
		total += amount
		f, name := nameOf(v, id)
		lines = append(lines, line{name, amount, address(v, "entries", "of", "gifts", "month", monthText(first), "fund", f.Code)})
	}
	slices.SortFunc(lines, func(x, y line) int { return cmp.Or(cmp.Compare(y.minor, x.minor), cmp.Compare(x.label, y.label)) })
	all := address(v, "entries", "of", "gifts", "month", monthText(first))
	says := a.say(v, "office.today.funds_none", "month", a.monthName(v, first))
	if total > 0 && len(lines) > 0 {
		says = a.say(v, "office.today.funds", "fund", lines[0].label, "percent", percentOf(lines[0].minor, total), "amount", a.amount(v, total))
	}
	c := a.bars(v, "chart-funds", a.say(v, "office.today.funds_title"), a.say(v, "office.today.fund"), says, all, lines, &line{a.say(v,
		"office.today.sum"), total, all})
	if len(lines) > most { // the table has all of them
		short := append(slices.Clone(lines[:most]), line{label: a.say(v, "office.today.other_funds")})
		for _, l := range lines[most:] {
			short[most].minor += l.minor
		}
		c.SVG = a.bars(v, "chart-funds", c.Table.Caption, "", says, all, short, nil).SVG
	}
	return c
}

// percentOf returns a share with one decimal, as the language writes it where both languages agree: 3.2.
func percentOf(part, whole int64) string {
	if whole == 0 {
		return "0"
	}
	tenths := (1000*part + whole/2) / whole
	if tenths%10 == 0 {
		return strconv.FormatInt(tenths/10, 10)
	}
	return fmt.Sprintf("%d.%d", tenths/10, tenths%10)
}

func (a *Area) fees(v web.StaffVisit, first ledger.Date, s sums) Chart {
	given, fees, disputes := -s.of(ledger.GiftAccounts...), s.of(ledger.ProcessingFees), s.of(ledger.DisputeFees)
	of := func(name string) string { return address(v, "entries", "of", name, "month", monthText(first)) }
	says := a.say(v, "office.today.fees_none")
	if given > 0 {
		says = a.say(v, "office.today.fees", "percent", percentOf(fees+disputes, given), "fees", a.amount(v, fees+disputes), "amount", a.amount(v, given))
	}
	return a.bars(v, "chart-fees", a.say(v, "office.today.fees_title"), a.say(v, "office.today.what"), says, of("fees"), []line{
		{a.say(v, "office.entries.of.gifts"), given, of("gifts")}, {a.say(v, "office.entries.of.fees"), fees, of("fees")},
		{a.say(v, "office.entries.of.dispute_fees"), disputes, of("dispute_fees")}}, nil)
}

func (a *Area) whereMoneyIs(v web.StaffVisit, s sums) Chart {
	var lines []line
	var total int64
	for _, place := range places {
		minor := s.of(kinds[place].accounts...)
		if minor == 0 && place == "checks" {
			continue
		}
		total += minor
		url := address(v, "entries", "of", place)
		if place == "withheld" {
			url = address(v, "disputes", "state", "withheld")
		}
		lines = append(lines, line{a.say(v, "office.entries.of."+place), minor, url})
	}
	says := a.say(v, "office.today.where", "amount", a.amount(v, total), "stripe", a.amount(v, s.of(ledger.StripeClearing)))
	return a.bars(v, "chart-where", a.say(v, "office.today.where_title"), a.say(v, "office.today.place"), says, address(v, "entries", "of", "stripe"),
		lines, &line{label: a.say(v, "office.today.sum"), minor: total})
}
