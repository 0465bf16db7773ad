package desk

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"konbit/internal/platform/money"
	"konbit/internal/view"
)

// PageSize is how many rows a page of a list has; manyRows how many it has on demand.
const PageSize, manyRows = 50, 200

// RowsOf returns how many rows the page of a request has: 200 with ?rows=200.
func RowsOf(r *http.Request) int {
	if r.URL.Query().Get("rows") == strconv.Itoa(manyRows) {
		return manyRows
	}
	return PageSize
}

// Larger returns the address of the same list with 200 rows a page; empty if it has them already.
func Larger(r *http.Request) string {
	if RowsOf(r) == manyRows {
		return ""
	}
	return With(r.URL, "rows", strconv.Itoa(manyRows))
}

// List is a page of a list: a sentence that says what is shown, filters that stand in the address, rows, and the way to more.
// Templates show it by "office-list".
type List struct {
	Says        string // what is shown and its total
	Unknown     Unknown
	Search      *Search  // nil: the list has no search field
	Filters     []Filter // groups of links
	More        []Filter // groups that are folded, unless one of them has chosen something
	Narrow      *Narrow  // a form that is folded too; nil: there is none
	Table       Table
	Empty       string // what would be here and how it gets there; shown if there are no rows
	Larger      string // address of the list with more rows a page, shown where there is a next page; may be empty
	First, Next string // addresses of the first page and of the next; empty: this is it
	CSV, XLSX   string // addresses of the rows of this page as a file; may be empty
	Export      string // address of the form that exports the whole list; may be empty
}

// Search is the search field of a list: a form that is sent by GET, so that what was searched stands in the address.
type Search struct {
	Action string
	Label  string
	Hint   string // what can be searched for; may be empty
	Value  string
	Long   bool     // the text is too long, and finds nothing
	Kept   []Hidden // the other values of the address
}

// Narrow is a form of filters that is sent by GET.
type Narrow struct {
	Label  string
	Action string
	Fields []view.Field
	Kept   []Hidden // the other values of the address
	Chosen bool     // one of the fields narrows the list
}

// Hidden is a value that a form sends along.
type Hidden struct{ Name, Value string }

// Filter is a group of links, of which one is chosen.
type Filter struct {
	Label   string
	Options []Option
}

// Chosen reports whether another option than the first one is chosen.
func (f Filter) Chosen() bool {
	return slices.ContainsFunc(f.Options[min(1, len(f.Options)):], func(o Option) bool { return o.Current })
}

// MoreChosen reports whether a folded filter has chosen something.
func (l List) MoreChosen() bool { return slices.ContainsFunc(l.More, Filter.Chosen) }

// Unknown are the values of an address that name no filter. The page says so, and shows its list without them.
type Unknown []Hidden

// longestUnknown bounds the text of an address that a page repeats, in characters.
const longestUnknown = 40

// Add adds a value. An empty one is none.
func (u *Unknown) Add(name, value string) {
	if text := []rune(strings.ToValidUTF8(value, "")); len(text) > 0 {
		if len(text) > longestUnknown {
			text = append(text[:longestUnknown], '…')
		}
		*u = append(*u, Hidden{name, string(text)})
	}
}

// mostNames is how many names of filters Names adds at most.
const mostNames = 5

// ofEveryList are the names that the address of any list may have.
var ofEveryList = []string{"org", "after", "format", "rows", "lang", "said"}

// Names adds the values that an address has under other names than those of the list's filters.
func (u *Unknown) Names(r *http.Request, known ...string) {
	added, values := 0, r.URL.Query()
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if values.Get(name) == "" || slices.Contains(known, name) || slices.Contains(ofEveryList, name) || added == mostNames {
			continue
		}
		label := []rune(strings.ToValidUTF8(name, ""))
		u.Add(string(label[:min(len(label), longestUnknown)]), values.Get(name))
		added++
	}
}

// longestValue bounds a value of an address that the links and forms of a page keep, in characters.
const longestValue = 200

func isLong(value string) bool { return utf8.RuneCountInString(value) > longestValue }

// SearchText returns the text that an address searches for, and whether it is too long: then it is only the beginning of it, and the
// page finds nothing.
func SearchText(r *http.Request) (text string, long bool) {
	text = strings.ReplaceAll(strings.ToValidUTF8(r.URL.Query().Get("q"), ""), "\x00", "")
	if long = isLong(text); long {
		text = string([]rune(text)[:longestValue])
	}
	return text, long
}

// Check adds the value that an address has under a name, unless it is one of those given.
func (u *Unknown) Check(r *http.Request, name string, values ...string) {
	if typed := r.URL.Query().Get(name); !slices.Contains(values, typed) {
		u.Add(name, typed)
	}
}

// DayOf returns the beginning of a day that an address names, in a time zone; zero if it names none. One that is no day is
// unknown.
func (u *Unknown) DayOf(r *http.Request, name string, zone *time.Location) time.Time {
	typed := r.URL.Query().Get(name)
	day, err := time.ParseInLocation(time.DateOnly, typed, zone)
	if err != nil || day.Year() < 2000 || day.Year() >= 2100 {
		u.Add(name, typed)
		return time.Time{}
	}
	return day
}

// Option is a link of a filter.
type Option struct {
	Label   string
	URL     string
	Current bool
}

// Table is a table of a page, and a file with the same rows.
type Table struct {
	Caption string
	Columns []Column
	Rows    []Row
	Total   []Cell // the last row: the sums of the rows shown; nil: none
}

// Column is a column of a table.
type Column struct {
	Name   string // in files; never changes
	Label  string
	Number bool // its cells are aligned at the right, with tabular figures
	Wide   bool // its cells may break lines
}

// Row is a row of a table. Enter opens its address.
type Row struct {
	URL   string // may be empty
	Cells []Cell // one for each column
}

// Cell is a cell. What a page shows is, in this order: Amount, At, Day, Text; with Soft below it.
type Cell struct {
	Text   string
	Soft   string // a second line
	Title  string // all of Soft, if Soft is only its beginning
	URL    string // makes the cell a link
	State  string // good, hold, bad or plain: shows Text as a state, with a shape
	Amount *money.Amount
	At     time.Time // as Desk.Moment returns it
	Day    time.Time // a day without a time
	File   string    // what files have instead of Text; empty: Text
}

// AmountCell returns the cell of an amount.
func AmountCell(a money.Amount) Cell { return Cell{Amount: &a} }

// With returns an address with other values of its query. An empty value removes the name; names is name, value, name, value.
// Of a page's own values it keeps those of filters, not those of the place in the list.
func With(u *url.URL, names ...string) string {
	q := u.Query()
	for _, place := range []string{"after", "format", "said", "lang"} {
		q.Del(place)
	}
	maps.DeleteFunc(q, func(name string, values []string) bool { return isLong(name) || slices.ContainsFunc(values, isLong) })
	for i := 0; i+1 < len(names); i += 2 {
		if names[i+1] == "" {
			q.Del(names[i])
		} else {
			q.Set(names[i], names[i+1])
		}
	}
	if len(q) == 0 {
		return u.Path
	}
	return u.Path + "?" + q.Encode()
}

// WithQuery returns a path of the office, which may name an organisation, with another value in its query.
func WithQuery(path, name, value string) string {
	u, err := url.Parse(path)
	if err != nil {
		return path
	}
	return With(u, name, value)
}

// Kept returns the values of an address that a search form sends along: all but those named, and the place in the list.
func Kept(u *url.URL, without ...string) (kept []Hidden) {
	q := u.Query()
	for _, name := range slices.Sorted(func(yield func(string) bool) {
		for name := range q {
			if !yield(name) {
				return
			}
		}
	}) {
		place := slices.Contains([]string{"after", "format", "said", "lang"}, name)
		if !slices.Contains(without, name) && !place && q.Get(name) != "" && !isLong(q.Get(name)) && !isLong(name) {
			kept = append(kept, Hidden{name, q.Get(name)})
		}
	}
	return kept
}

// Chosen returns the value of a filter in an address, if it is one of the values; else the first of them.
func Chosen(r *http.Request, name string, values ...string) string {
	if typed := r.URL.Query().Get(name); slices.Contains(values, typed) {
		return typed
	}
	return values[0]
}

// Cursor returns a place in a list as the text of an address. ReadCursor reads it.
func Cursor(place any) string {
	text, err := json.Marshal(place)
	if err != nil {
		panic("desk: a place in a list that is no JSON: " + err.Error())
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

// ReadCursor reads the place in a list that an address names, into place. It reports whether there is one that can be read:
// otherwise the page shows the list from its beginning.
func ReadCursor(r *http.Request, place any) bool {
	text, err := base64.RawURLEncoding.DecodeString(r.URL.Query().Get("after"))
	return err == nil && len(text) > 0 && json.Unmarshal(text, place) == nil
}

// WantsFile returns csv or xlsx if a request asks for the rows of a page as a file, by ?format= or by Accept; else "".
func WantsFile(r *http.Request) string {
	switch format := r.URL.Query().Get("format"); {
	case format == "csv" || format == "xlsx":
		return format
	case strings.HasPrefix(r.Header.Get("Accept"), "text/csv"):
		return "csv"
	}
	return ""
}
