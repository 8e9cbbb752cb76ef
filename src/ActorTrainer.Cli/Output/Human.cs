using System.Globalization;
using ActorTrainer.Core.Configuration;

namespace ActorTrainer.Cli.Output;

/// <summary>Numbers for people, in the invariant culture.</summary>
internal static class Human
{
    /// <summary>A duration in its largest unit, two where the larger is below ten: 12s, 5m 3s, 47m, 2h 10m, 3d.</summary>
    public static string Duration(TimeSpan value)
    {
        long seconds = (long)value.TotalSeconds;
        return seconds switch
        {
            < 1 => FormattableString.Invariant($"{(long)value.TotalMilliseconds}ms"),
            < 60 => FormattableString.Invariant($"{seconds}s"),
            < 3600 => Pair(seconds, 60, "m", "s"),
            < 86400 => Pair(seconds / 60, 60, "h", "m"),
            _ => Pair(seconds / 3600, 24, "d", "h"),
        };
    }

    /// <summary>Bytes in binary units: 17 B, 1.5 KiB, 10 MiB.</summary>
    public static string Bytes(long bytes) => SizeText.Of(bytes);

    /// <summary>A metric with four significant digits.</summary>
    public static string Number(double value) => value.ToString("G4", CultureInfo.InvariantCulture);

    /// <summary>A whole number.</summary>
    public static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Pair(long count, int size, string large, string small)
    {
        long whole = count / size;
        long rest = count % size;
        return whole >= 10 || rest == 0
            ? FormattableString.Invariant($"{whole}{large}")
            : FormattableString.Invariant($"{whole}{large} {rest}{small}");
    }
}
