using System.Globalization;

namespace ActorTrainer.Core.Progress;

/// <content>Numbers, with what belongs to them.</content>
internal ref partial struct FieldLine
{
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

    private static bool IsNoNumber(ReadOnlySpan<char> word) =>
        word.Equals("nan", StringComparison.OrdinalIgnoreCase)
        || word.Equals("inf", StringComparison.OrdinalIgnoreCase)
        || word.Equals("infinity", StringComparison.OrdinalIgnoreCase);

    private static bool IsWhole(ReadOnlySpan<char> text, out long value) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);
}
