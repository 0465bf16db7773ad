package markup

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"

	"konbit/internal/office/bankfile/field"
	"konbit/internal/platform/fault"
)

// xmlDepth is how deep elements may stand in each other. A statement needs about 15.
const xmlDepth = 64

// Node is an element with its line. Names have no namespace: banks write none, wrong ones, and prefixes.
type Node struct {
	Name, Text string
	Currency   string // attribute Ccy
	Row        int    // line of the file
	Kids       []*Node
}

// Find returns the first element at a path of names, nil if there is none. It works on nil.
func (n *Node) Find(path string) *Node {
	for path != "" && n != nil {
		var name string
		name, path, _ = strings.Cut(path, "/")
		n = n.kid(name)
	}
	return n
}

func (n *Node) kid(name string) *Node {
	for _, k := range n.Kids {
		if k.Name == name {
			return k
		}
	}
	return nil
}

// Get returns the text at a path, "" if there is none.
func (n *Node) Get(path string) string {
	if found := n.Find(path); found != nil {
		return found.Text
	}
	return ""
}

// First returns the text at the first of several paths that has one.
func (n *Node) First(paths ...string) string {
	for _, path := range paths {
		if text := n.Get(path); text != "" {
			return text
		}
	}
	return ""
}

// All returns the elements of a name directly in n.
func (n *Node) All(name string) (found []*Node) {
	if n == nil {
		return nil
	}
	for _, k := range n.Kids {
		if k.Name == name {
			found = append(found, k)
		}
	}
	return found
}

// Line returns the line of the element, or that of another one if it is nil.
func (n *Node) Line(otherwise int) int {
	if n == nil {
		return otherwise
	}
	return n.Row
}

// Tree reads a document, in which no text is longer than so many bytes. No document type and no entity of its own is accepted, so its size in memory follows from the
// size of the file.
func Tree(text string, longest int) (*Node, error) {
	d := xml.NewDecoder(strings.NewReader(text))
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil } // Decode has read the characters
	root := &Node{Row: 1}
	open := []*Node{root}
	for {
		row, _ := d.InputPos()
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, badXML(err)
		}
		here := open[len(open)-1]
		switch t := token.(type) {
		case xml.Directive:
			return nil, field.Refuse(row, field.StructureField, string(t), "bankfile.problem.entities", nil)
		case xml.StartElement:
			if len(open) > xmlDepth {
				return nil, field.Refuse(row, field.StructureField, t.Name.Local, "bankfile.problem.depth", nil)
			}
			n := &Node{Name: t.Name.Local, Row: row}
			for _, a := range t.Attr {
				if a.Name.Local == "Ccy" {
					n.Currency = a.Value
				} else if a.Name.Local == "xmlns" && here == root {
					n.Currency = a.Value // the version stands in the namespace
				}
			}
			here.Kids = append(here.Kids, n)
			open = append(open, n)
		case xml.EndElement:
			here.Text = strings.TrimSpace(here.Text)
			open = open[:len(open)-1]
		case xml.CharData:
			if here.Text == "" {
				here.Text = string(t)
			} else {
				here.Text += string(t)
			}
			if err := field.Fits(here.Text, longest, row); err != nil && strings.TrimSpace(here.Text) != "" {
				return nil, err
			}
		}
	}
	return root, nil
}

// badXML says what is wrong with a document. One that ends too early is a download that was cut short.
func badXML(err error) error {
	var syntax *xml.SyntaxError
	if !errors.As(err, &syntax) {
		return field.Refuse(0, field.StructureField, "", "bankfile.problem.xml", fault.Args{"reason": field.Excerpt(err.Error())})
	}
	if strings.Contains(syntax.Msg, "unexpected EOF") {
		return field.CutShort(syntax.Line)
	}
	return field.Refuse(syntax.Line, field.StructureField, "", "bankfile.problem.xml", fault.Args{"reason": field.Excerpt(syntax.Msg)})
}
