package privacy

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"konbit/internal/platform/sheet"
)

// Document is a copy of a person's data, written item by item while it is read. Its end says how many items it has, by
// kind and in all: a copy without that end is incomplete.
type Document interface {
	// Item writes one object of a kind; data must encode as a JSON object.
	Item(kind string, data any) error
	End() error
}

// itemCounts counts the items of a document.
type itemCounts struct {
	all  int
	kind map[string]int
}

func (c *itemCounts) add(kind string) {
	if c.kind == nil {
		c.kind = map[string]int{}
	}
	c.all++
	c.kind[kind]++
}

// jsonDocument is one object: {"items": [{"what": "gift", …}, …], "counts": {"gift": 500, …}, "count": 1234}.
type jsonDocument struct {
	w      io.Writer
	counts itemCounts
}

// NewJSON returns a document that is a JSON object with an array of items; each item says its kind.
func NewJSON(w io.Writer) Document { return &jsonDocument{w: w} }

func (s *jsonDocument) Item(kind string, data any) error {
	text, err := json.Marshal(struct {
		What string `json:"what"`
		Data any    `json:"data"`
	}{kind, data})
	if err != nil {
		return err
	}
	before := ",\n"
	if s.counts.all == 0 {
		before = jsonBegin
	}
	s.counts.add(kind)
	_, err = fmt.Fprintf(s.w, "%s%s", before, text)
	return err
}

const jsonBegin = "{\"items\": [\n"

func (s *jsonDocument) End() error {
	kinds, err := json.Marshal(s.counts.kind)
	if err != nil {
		return err
	}
	before := "\n"
	if s.counts.all == 0 {
		before, kinds = jsonBegin, []byte("{}")
	}
	_, err = fmt.Fprintf(s.w, "%s],\n\"counts\": %s,\n\"count\": %d}\n", before, kinds, s.counts.all)
	return err
}

// csvDocument has a row for each field.
type csvDocument struct {
	w      *csv.Writer
	counts itemCounts
}

// NewCSV returns a document that is a table of four columns: the number of the object, its kind, the field, the
// value. Its last rows say how many objects it has, by kind and in all. A spreadsheet reads no cell as a formula. It
// begins with a byte order mark, without which spreadsheets read other letters than English ones wrongly.
func NewCSV(w io.Writer) Document { return &csvDocument{w: csv.NewWriter(w)} }

func (s *csvDocument) Item(kind string, data any) error {
	if err := s.header(); err != nil {
		return err
	}
	s.counts.add(kind)
	text, err := json.Marshal(data)
	if err != nil {
		return err
	}
	var tree any
	if err := json.Unmarshal(text, &tree); err != nil {
		return err
	}
	err = flatten("", tree, func(field, value string) error {
		return s.w.Write([]string{strconv.Itoa(s.counts.all), kind, sheet.CSVText(field), sheet.CSVText(value)})
	})
	s.w.Flush()
	if err == nil {
		err = s.w.Error()
	}
	return err
}

const byteOrderMark = "\ufeff"

// header writes the names of the columns before the first item.
func (s *csvDocument) header() error {
	if s.counts.all > 0 {
		return nil
	}
	return s.w.Write([]string{byteOrderMark + "number", "what", "field", "value"})
}

// csvEnd is the kind of the last rows.
const csvEnd = "end of this copy"

func (s *csvDocument) End() error {
	if err := s.header(); err != nil {
		return err
	}
	for _, kind := range slices.Sorted(maps.Keys(s.counts.kind)) {
		if err := s.w.Write([]string{"", csvEnd, "number of: " + kind, strconv.Itoa(s.counts.kind[kind])}); err != nil {
			return err
		}
	}
	if err := s.w.Write([]string{"", csvEnd, "number of all", strconv.Itoa(s.counts.all)}); err != nil {
		return err
	}
	s.w.Flush()
	return s.w.Error()
}

// flatten calls leaf for each field of a JSON value. The name of a nested field has a dot between its parts.
func flatten(name string, v any, leaf func(field, value string) error) error {
	join := func(key string) string { return strings.TrimPrefix(name+"."+key, ".") }
	switch v := v.(type) {
	case nil:
		return nil
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if err := flatten(join(key), v[key], leaf); err != nil {
				return err
			}
		}
	case []any:
		for i, each := range v {
			if err := flatten(join(strconv.Itoa(i+1)), each, leaf); err != nil {
				return err
			}
		}
	default:
		return leaf(name, fmt.Sprint(v))
	}
	return nil
}
