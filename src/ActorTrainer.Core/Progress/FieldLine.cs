using System.Globalization;

namespace ActorTrainer.Core.Progress;

/// <summary>
/// Reads lines that consist of names and values and of nothing else: <c>step 120/1000 loss 0.31</c>, <c>Epoch: [3][ 120/5005] Loss 6.9
/// (6.95)</c>. A line with one word that belongs to no value is a sentence, and says nothing.
/// </summary>
internal ref struct FieldLine
{
    private const int MostWords = 8;
    private const int LongestGroup = 60;
    private readonly ReadOnlySpan<char> _text;
    private readonly FieldCollector _fields = new();
    private int _at;
    private bool _epochWaits;
    private bool _afterEpoch;

    private FieldLine(ReadOnlySpan<char> text) => _text = text;

    /// <summary>What the line says; null: it is not such a line, or says nothing.</summary>
    public static LineReading? Read(ReadOnlySpan<char> text) => new FieldLine(text).Read();

    private LineReading? Read()
    {
        while (true)
        {
            SkipSeparators();
            if (_at == _text.Length)
            {
                return _epochWaits ? null : _fields.ToReading();
            }

            char c = _text[_at];
            bool understood =
                c is '[' or '(' ? ReadGroup(c == '[' ? ']' : ')')
                : char.IsAsciiLetter(c) || c == '_' ? ReadField()
                : ReadBare();
            if (!understood)
            {
                return null;
            }
        }
    }

    private void SkipSeparators()
    {
        while (_at < _text.Length)
        {
            char c = _text[_at];
            bool last = _at + 1 == _text.Length || char.IsWhiteSpace(_text[_at + 1]);
            bool separates = char.IsWhiteSpace(c) || c is ',' or ';' or '|' or '•' or '·' or ']';

            // "[Epoch 3]" has a field in its brackets, "[ 120/5005]" a value.
            bool opens = c == '[' && !last && char.IsAsciiLetter(_text[_at + 1]);
            if (!separates && !opens && !(last && c is '-' or '–' or '—' or '.' or ':'))
            {
                return;
            }

            _at++;
        }
    }

    /// <summary>What stands in brackets: an average beside its value, a share, or the steps of an epoch.</summary>
    private bool ReadGroup(char close)
    {
        ReadOnlySpan<char> rest = _text[(_at + 1)..];
        rest = rest[..Math.Min(rest.Length, LongestGroup)];
        int end = rest.IndexOf(close);
        if (end < 0)
        {
            return false;
        }

        ReadOnlySpan<char> inside = rest[..end].Trim();
        _at += end + 2;
        if (_epochWaits)
        {
            _epochWaits = false;
            return ReadEpoch(inside);
        }

        int paren = inside.IndexOf('(');
        if (paren > 0)
        {
            // "12800/60000 (21%" of "[12800/60000 (21%)]".
            inside = inside[..paren].Trim();
        }

        int slash = inside.IndexOf('/');
        if (slash > 0 && IsWhole(inside[..slash].Trim(), out long step) && IsWhole(inside[(slash + 1)..].Trim(), out long total))
        {
            _fields.AddPart(step, total);
            return true;
        }

        foreach (char c in inside)
        {
            if (!char.IsAsciiDigit(c) && c is not (' ' or '.' or ',' or '%' or '-' or '+' or 'e' or 'E'))
            {
                return inside.StartsWith("avg", StringComparison.OrdinalIgnoreCase)
                    && double.TryParse(inside[3..].Trim(" :="), CultureInfo.InvariantCulture, out _);
            }
        }

        return true;
    }

    private readonly bool ReadEpoch(ReadOnlySpan<char> inside)
    {
        int slash = inside.IndexOf('/');
        if (!IsWhole((slash < 0 ? inside : inside[..slash]).Trim(), out long epoch))
        {
            return false;
        }

        long? total = null;
        if (slash >= 0)
        {
            if (!IsWhole(inside[(slash + 1)..].Trim(), out long epochs))
            {
                return false;
            }

            total = epochs;
        }

        _fields.Add("epoch", epoch, total, whole: true, oneWord: true);
        return true;
    }

    private bool ReadField()
    {
        _afterEpoch = false;
        int from = _at;
        int to = _at;
        int words = 0;
        bool evaluates = false;
        while (_at < _text.Length && (char.IsAsciiLetter(_text[_at]) || _text[_at] == '_'))
        {
            int word = _at;
            SkipWord();
            ReadOnlySpan<char> spelled = _text[word.._at];
            if (words > 0 && IsNoNumber(spelled))
            {
                _at = word;
                break;
            }

            to = _at;
            evaluates |= FieldNames.IsEvaluation(spelled);
            if (++words > MostWords)
            {
                return false;
            }

            SkipBlanks();
        }

        string name = FieldNames.Normal(_text[from..to]);
        if (!SkipUnitOfName())
        {
            return false;
        }

        bool named = false;
        if (_at < _text.Length && _text[_at] is ':' or '=')
        {
            named = _text[_at] == '=';
            _at++;
            SkipBlanks();
        }

        bool counter =
            FieldNames.IsStep(LastWord(name), true) || FieldNames.IsEpoch(LastWord(name), true) || FieldNames.IsBatch(LastWord(name));
        if (evaluates && (counter || words == 1))
        {
            return false;
        }

        if (FieldNames.IsEpoch(name, ofTotal: false) && _at < _text.Length && _text[_at] == '[')
        {
            _epochWaits = true;
            return true;
        }

        return ReadValueOf(name, words == 1, named);
    }

    private bool ReadValueOf(string name, bool oneWord, bool named)
    {
        int from = _at;
        if (ReadNumber(out double value, out long? total, out bool whole))
        {
            // timm: "Train: 3 [ 120/5005 (  2%)]".
            bool timm = name == "train" && whole && total is null && NextIs('[');
            name = timm ? "epoch" : name;
            _afterEpoch = FieldNames.IsEpoch(name, total is not null);
            _fields.Add(name, value, total, whole, oneWord);
            return true;
        }

        _at = from;
        if (_at < _text.Length && named && (char.IsAsciiLetterOrDigit(_text[_at]) || _text[_at] == '_'))
        {
            while (_at < _text.Length && !char.IsWhiteSpace(_text[_at]) && _text[_at] is not (',' or ';' or '|' or ']'))
            {
                _at++;
            }

            return true;
        }

        return name is "train" or "training" && (_at == _text.Length || _text[_at] is '|' or ',' or ']');
    }

    /// <summary>A number without a name: time, rate, share; or the steps behind an epoch.</summary>
    private bool ReadBare()
    {
        int from = _at;
        if (!ReadNumber(out double value, out long? total, out bool whole))
        {
            return false;
        }

        if (total is { } steps)
        {
            _fields.AddPart((long)value, steps);
            return _afterEpoch;
        }

        return !whole && !double.TryParse(_text[from.._at], CultureInfo.InvariantCulture, out _);
    }

    private bool ReadNumber(out double value, out long? total, out bool whole)
    {
        (value, total, whole) = (0, null, false);
        int from = _at;
        if (ReadNoNumber(out value))
        {
            return IsAtEnd();
        }

        if (_at < _text.Length && _text[_at] is '-' or '+')
        {
            _at++;
        }

        int digits = _at;
        SkipDigits();
        whole = _at > digits && digits == from;
        if (_at < _text.Length && _text[_at] == '.' && _at + 1 < _text.Length && char.IsAsciiDigit(_text[_at + 1]))
        {
            whole = false;
            _at++;
            SkipDigits();
        }

        if (_at == digits)
        {
            _at = from;
            return false;
        }

        SkipExponent(ref whole);
        ReadOnlySpan<char> number = _text[from.._at];
        if (!double.TryParse(number, CultureInfo.InvariantCulture, out value) || (whole && !IsWhole(number, out _)))
        {
            return false;
        }

        return ReadRest(ref total, ref whole) && IsAtEnd();
    }

    /// <summary>What belongs to a number: the total behind it, the rest of a time, or its unit.</summary>
    private bool ReadRest(ref long? total, ref bool whole)
    {
        int number = _at;
        SkipBlanks();
        bool slash = _at < _text.Length && _text[_at] == '/' && (_at + 1 == _text.Length || !char.IsAsciiLetter(_text[_at + 1]));
        bool of = _text[_at..].StartsWith("of ", StringComparison.OrdinalIgnoreCase);
        if (whole && (slash || of))
        {
            _at += slash ? 1 : 3;
            SkipBlanks();
            int from = _at;
            SkipDigits();
            bool is64 = IsWhole(_text[from.._at], out long value);
            total = value;
            return is64;
        }

        _at = number;
        if (_at + 1 < _text.Length && _text[_at] == ':' && char.IsAsciiDigit(_text[_at + 1]))
        {
            whole = false;
            while (_at < _text.Length && (char.IsAsciiDigit(_text[_at]) || _text[_at] is ':' or '.'))
            {
                _at++;
            }

            return true;
        }

        while (_at < _text.Length && (char.IsLetter(_text[_at]) || _text[_at] is '%' || _text[_at] == '/'))
        {
            _at++;
        }

        whole &= _at == number;
        return _at - number <= 12;
    }

    private void SkipExponent(ref bool whole)
    {
        if (_at < _text.Length && _text[_at] is 'e' or 'E')
        {
            int exponent = _at + 1;
            exponent += exponent < _text.Length && _text[exponent] is '-' or '+' ? 1 : 0;
            if (exponent < _text.Length && char.IsAsciiDigit(_text[exponent]))
            {
                whole = false;
                _at = exponent;
                SkipDigits();
            }
        }
    }

    private bool ReadNoNumber(out double value)
    {
        int from = _at;
        double sign = _at < _text.Length && _text[_at] == '-' ? -1 : 1;
        _at += sign < 0 ? 1 : 0;
        int word = _at;
        SkipWord();
        if (IsNoNumber(_text[word.._at]))
        {
            value = _text[word] is 'n' or 'N' ? double.NaN : sign * double.PositiveInfinity;
            return true;
        }

        value = 0;
        _at = from;
        return false;
    }

    /// <summary>"(ms)" behind a name.</summary>
    private bool SkipUnitOfName()
    {
        if (_at + 1 < _text.Length && _text[_at] == '(' && char.IsAsciiLetter(_text[_at + 1]))
        {
            int length = _text[_at..].IndexOf(')');
            if (length is < 0 or > 16 || FieldNames.SaysEvaluation(_text.Slice(_at, length)))
            {
                return false;
            }

            _at += length + 1;
            SkipBlanks();
        }

        return true;
    }

    private readonly bool IsAtEnd() =>
        _at == _text.Length
        || char.IsWhiteSpace(_text[_at])
        || _text[_at] is ',' or ';' or '|' or '(' or '[' or ']' or '•'
        || (_text[_at] is ':' or '.' && (_at + 1 == _text.Length || char.IsWhiteSpace(_text[_at + 1])));

    private readonly bool NextIs(char wanted) => _text[_at..].TrimStart().StartsWith(wanted);

    private void SkipWord()
    {
        int from = _at;
        while (_at < _text.Length && (char.IsAsciiLetterOrDigit(_text[_at]) || _text[_at] is '_' or '@' or '/' or '.' or '-' or '#'))
        {
            _at++;
        }

        while (_at > from && _text[_at - 1] is '.' or '-' && (_at == _text.Length || char.IsWhiteSpace(_text[_at])))
        {
            _at--;
        }
    }

    private void SkipDigits()
    {
        while (_at < _text.Length && char.IsAsciiDigit(_text[_at]))
        {
            _at++;
        }
    }

    private void SkipBlanks()
    {
        while (_at < _text.Length && _text[_at] is ' ' or '\t')
        {
            _at++;
        }
    }

    private static string LastWord(string name) => name[(name.LastIndexOf('_') + 1)..];

    private static bool IsNoNumber(ReadOnlySpan<char> word) =>
        word.Equals("nan", StringComparison.OrdinalIgnoreCase)
        || word.Equals("inf", StringComparison.OrdinalIgnoreCase)
        || word.Equals("infinity", StringComparison.OrdinalIgnoreCase);

    private static bool IsWhole(ReadOnlySpan<char> text, out long value) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);
}
