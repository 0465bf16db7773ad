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
)

// Sheet is a copy of what is kept about a person, written item by item as it is read.
type Document interface {
	// Item writes one thing of a kind; data is anything that encodes as a JSON object.
	Item(kind string, data any) error
	End() error
}

// jsonSheet is one array of objects.
type jsonDocument struct {
	w io.Writer
	n int
}

// NewJSON writes a JSON array whose objects say what they are: {"what": "gift", …}.
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
	if s.n == 0 {
		before = "[\n"
	}
	s.n++
	_, err = fmt.Fprintf(s.w, "%s%s", before, text)
	return err
}

func (s *jsonDocument) End() error {
	if s.n == 0 {
		_, err := io.WriteString(s.w, "[]\n")
		return err
	}
	_, err := io.WriteString(s.w, "\n]\n")
	return err
}

// csvSheet has a row for each field.
type csvDocument struct {
	w *csv.Writer
	n int
}

// NewCSV writes a table of four columns: the number of the thing, what it is, the field, its value. No cell is a formula to a
// spreadsheet.
func NewCSV(w io.Writer) Document { return &csvDocument{w: csv.NewWriter(w)} }

func (s *csvDocument) Item(kind string, data any) error {
	if s.n == 0 {
		if err := s.w.Write([]string{"number", "what", "field", "value"}); err != nil {
			return err
		}
	}
	s.n++
	text, err := json.Marshal(data)
	if err != nil {
		return err
	}
	var tree any
	if err := json.Unmarshal(text, &tree); err != nil {
		return err
	}
	err = flatten("", tree, func(field, value string) error {
		return s.w.Write([]string{strconv.Itoa(s.n), kind, CSVCell(field), CSVCell(value)})
	})
	s.w.Flush()
	return err
}

func (s *csvDocument) End() error {
	s.w.Flush()
	return s.w.Error()
}

// flatten walks a JSON value; a field below another is named with a dot between.
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

// Cell is text that no spreadsheet takes for a formula (OWASP ASVS 5.0.0 V1.2.10): one that begins as formulas do gets an apostrophe.
func CSVCell(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r\n\x00|%", rune(text[0])) || strings.HasPrefix(text, "＝") || strings.HasPrefix(text, "＋") || strings.HasPrefix(text, "－") || strings.HasPrefix(text, "＠") {
		return "'" + text
	}
	return text
}
