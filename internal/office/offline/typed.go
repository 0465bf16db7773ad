package offline

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"strings"

	"konbit/internal/platform/clean"
)

// Typed are the fields of a row as a person typed them, by the names of the form: see FieldNames. A part of a split is
// "split[CODE]", the fund's code. A field that was left empty is absent.
type Typed map[string]string

// FieldNames are the names of a row's fields, in their order on the page, without those of parts.
var FieldNames = []string{
	"donor", "first_name", "last_name", "organisation", "email", "address_line1", "address_line2", "city", "region", "postal_code", "country",
	"method", "given_by", "amount", "number", "postmarked_on", "fund", "note", "in_return", "in_return_value", "counted_by", "soft_credit",
	"credit_first_name", "credit_last_name", "credit_email",
}

// donorFields name a new donor.
var donorFields = []string{
	"first_name", "last_name", "organisation", "email", "address_line1", "address_line2", "city", "region", "postal_code", "country",
}

const maxTyped = 500 // runes of a field

// TypedOf returns the fields of a form, without spaces around them and without control characters. all are its values.
func TypedOf(all map[string][]string) Typed {
	t := Typed{}
	for name, values := range all {
		if !isField(name) {
			continue
		}
		var texts []string
		for _, value := range values { // two people who count cash may have a field each
			if text := clean.Line(value); text != "" {
				texts = append(texts, text)
			}
		}
		if len(texts) > 0 {
			t[name] = strings.Join(texts, ", ")
		}
	}
	return t
}

func isField(name string) bool {
	if code, ok := splitOf(name); ok {
		return code != ""
	}
	for _, known := range FieldNames {
		if name == known {
			return true
		}
	}
	return false
}

// splitOf returns the code of a fund in the name of a part's field.
func splitOf(name string) (code string, ok bool) {
	rest, ok := strings.CutPrefix(name, "split[")
	if !ok {
		return "", false
	}
	return strings.CutSuffix(rest, "]")
}

// Splits returns the names of the fields of parts.
func (t Typed) Splits() (names []string) {
	for name := range t {
		if _, ok := splitOf(name); ok {
			names = append(names, name)
		}
	}
	return names
}

// NamesDonor reports whether the row names a new donor.
func (t Typed) NamesDonor() bool {
	return t["first_name"] != "" || t["last_name"] != "" || t["organisation"] != ""
}

// CreditsNew reports whether the row names a new person to whom the gift is credited besides its donor.
func (t Typed) CreditsNew() bool { return t["credit_first_name"] != "" || t["credit_last_name"] != "" }

// Repeat is what repeats the field of the row above.
const Repeat = "="

// Repeated returns the fields with what "=" repeats of the row above; nil: there is none, and "=" stays. To repeat the donor
// repeats all that names the donor, to repeat the fund all parts.
func (t Typed) Repeated(above Typed) Typed {
	if above == nil {
		return t
	}
	next := Typed{}
	for name, text := range t {
		if text == Repeat {
			text = above[name]
		}
		if text != "" {
			next[name] = text
		}
	}
	if t["donor"] == Repeat {
		for _, name := range donorFields {
			if text := above[name]; text != "" && t[name] == "" {
				next[name] = text
			}
		}
	}
	if t["fund"] == Repeat && len(t.Splits()) == 0 {
		for _, name := range above.Splits() {
			next[name] = above[name]
		}
	}
	return next
}

// Scan reads the column typed.
func (t *Typed) Scan(value any) error {
	content, ok := value.([]byte)
	if !ok {
		return fmt.Errorf("offline: %T is no JSON", value)
	}
	return json.Unmarshal(content, t)
}

// Value writes the column typed.
func (t Typed) Value() (driver.Value, error) {
	if t == nil {
		t = Typed{}
	}
	content, err := json.Marshal(map[string]string(t))
	return string(content), err
}
