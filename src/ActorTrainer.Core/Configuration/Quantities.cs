using System.Globalization;

namespace ActorTrainer.Core.Configuration;

/// <summary>
/// Durations and sizes as text: a number and a unit, with or without white space between (HOCON specification, "Units format").
/// </summary>
internal static class Quantities
{
    private const string DurationHelp = "use ns, us, ms, s, m, h, d or w, for example 200 ms or 1.5 h";
    private const string SizeHelp =
        "use B, K, M, G, T (powers of 1024, KiB and so on as well) or kB, MB, GB, TB (powers of 1000), for example 64 MiB";

    /// <summary>Parses a duration; on failure <paramref name="problem"/> says what is wrong and what to write.</summary>
    public static bool TryParseDuration(string text, out TimeSpan duration, out string problem)
    {
        duration = default;
        if (!TrySplit(text, out decimal number, out string unit))
        {
            problem = $"that is not a duration: {DurationHelp}";
            return false;
        }

        decimal ticks = unit switch
        {
            "ns" or "nano" or "nanos" or "nanosecond" or "nanoseconds" => 0.01m,
            "us" or "µs" or "micro" or "micros" or "microsecond" or "microseconds" => TimeSpan.TicksPerMicrosecond,
            "ms" or "milli" or "millis" or "millisecond" or "milliseconds" => TimeSpan.TicksPerMillisecond,
            "s" or "second" or "seconds" => TimeSpan.TicksPerSecond,
            "m" or "minute" or "minutes" => TimeSpan.TicksPerMinute,
            "h" or "hour" or "hours" => TimeSpan.TicksPerHour,
            "d" or "day" or "days" => TimeSpan.TicksPerDay,
            "w" or "week" or "weeks" => 7 * TimeSpan.TicksPerDay,
            _ => 0,
        };
        if (ticks == 0 && !(unit.Length == 0 && number == 0))
        {
            problem = unit.Length == 0 ? $"the unit is missing: {DurationHelp}" : $"'{unit}' is not a unit of time: {DurationHelp}";
            return false;
        }

        if (!TryScale(number, ticks, out long value))
        {
            problem = "that is too long";
            return false;
        }

        duration = TimeSpan.FromTicks(value);
        problem = "";
        return true;
    }

    /// <summary>Parses a size in bytes; a number without a unit is bytes.</summary>
    public static bool TryParseSize(string text, out long bytes, out string problem)
    {
        bytes = 0;
        if (!TrySplit(text, out decimal number, out string unit))
        {
            problem = $"that is not a size: {SizeHelp}";
            return false;
        }

        decimal factor = unit switch
        {
            "" or "B" or "b" or "byte" or "bytes" => 1,
            "K" or "k" or "Ki" or "KiB" or "kibibyte" or "kibibytes" => 1L << 10,
            "M" or "m" or "Mi" or "MiB" or "mebibyte" or "mebibytes" => 1L << 20,
            "G" or "g" or "Gi" or "GiB" or "gibibyte" or "gibibytes" => 1L << 30,
            "T" or "t" or "Ti" or "TiB" or "tebibyte" or "tebibytes" => 1L << 40,
            "P" or "p" or "Pi" or "PiB" or "pebibyte" or "pebibytes" => 1L << 50,
            "kB" or "kilobyte" or "kilobytes" => 1_000,
            "MB" or "megabyte" or "megabytes" => 1_000_000,
            "GB" or "gigabyte" or "gigabytes" => 1_000_000_000,
            "TB" or "terabyte" or "terabytes" => 1_000_000_000_000,
            "PB" or "petabyte" or "petabytes" => 1_000_000_000_000_000,
            _ => 0,
        };
        if (factor == 0)
        {
            problem = $"'{unit}' is not a unit of size: {SizeHelp}";
            return false;
        }

        if (!TryScale(number, factor, out bytes))
        {
            problem = "that is too large";
            return false;
        }

        problem = "";
        return true;
    }

    /// <summary>Parses a whole number that is followed by one of some words.</summary>
    public static bool TryParseCount(string text, out long count, params ReadOnlySpan<string> words)
    {
        count = 0;
        if (!TrySplit(text, out decimal number, out string unit) || !words.Contains(unit) || number != decimal.Truncate(number))
        {
            return false;
        }

        count = (long)decimal.Clamp(number, long.MinValue, long.MaxValue);
        return true;
    }

    /// <summary>Parses a number that is followed by a percent sign; gives the fraction that it is.</summary>
    public static bool TryParsePercent(string text, out double fraction)
    {
        fraction = 0;
        if (!TrySplit(text, out decimal number, out string unit) || unit != "%")
        {
            return false;
        }

        fraction = (double)(number / 100);
        return true;
    }

    /// <summary>The duration in the largest unit that keeps it whole, for messages and rendered defaults.</summary>
    public static string Format(TimeSpan duration)
    {
        (long Ticks, string Unit)[] units =
        [
            (TimeSpan.TicksPerDay, "d"),
            (TimeSpan.TicksPerHour, "h"),
            (TimeSpan.TicksPerMinute, "m"),
            (TimeSpan.TicksPerSecond, "s"),
            (TimeSpan.TicksPerMillisecond, "ms"),
            (TimeSpan.TicksPerMicrosecond, "us"),
        ];
        foreach ((long ticks, string unit) in units)
        {
            if (duration.Ticks != 0 && duration.Ticks % ticks == 0)
            {
                return string.Create(CultureInfo.InvariantCulture, $"{duration.Ticks / ticks} {unit}");
            }
        }

        return string.Create(CultureInfo.InvariantCulture, $"{duration.Ticks * 100} ns");
    }

    /// <summary>The size in the largest binary unit that keeps it whole.</summary>
    public static string FormatSize(long bytes)
    {
        string[] units = ["B", "KiB", "MiB", "GiB", "TiB"];
        int unit = 0;
        while (bytes != 0 && bytes % 1024 == 0 && unit < units.Length - 1)
        {
            bytes /= 1024;
            unit++;
        }

        return string.Create(CultureInfo.InvariantCulture, $"{bytes} {units[unit]}");
    }

    private static bool TrySplit(string text, out decimal number, out string unit)
    {
        text = text.Trim();
        int end = 0;
        while (end < text.Length && (char.IsAsciiDigit(text[end]) || text[end] is '.' or '-' or '+'))
        {
            end++;
        }

        unit = text[end..].Trim();
        return decimal.TryParse(
            text.AsSpan(0, end),
            NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint,
            CultureInfo.InvariantCulture,
            out number
        );
    }

    private static bool TryScale(decimal number, decimal factor, out long value)
    {
        value = 0;
        if (Math.Abs(number) > long.MaxValue)
        {
            return false;
        }

        // Both factors are below 2^63, so their product fits a decimal's 96 bits only when it is checked first.
        if (factor != 0 && Math.Abs(number) > long.MaxValue / factor)
        {
            return false;
        }

        value = (long)decimal.Round(number * factor, MidpointRounding.AwayFromZero);
        return true;
    }
}
