using System.Numerics;

namespace ActorTrainer.Cli.Commands;

/// <summary>Bounds of numbers on the command line.</summary>
internal static class Numbers
{
    /// <summary>The number as it is.</summary>
    /// <exception cref="UsageException">It is too small.</exception>
    public static T AtLeast<T>(T least, T value, string option)
        where T : INumber<T> => value >= least ? value : throw new UsageException($"{option}: at least {least}");

    /// <summary>The number as it is.</summary>
    /// <exception cref="UsageException">It is too small or too large.</exception>
    public static T Within<T>(T least, T most, T value, string option)
        where T : INumber<T> => AtLeast(least, value, option) <= most ? value : throw new UsageException($"{option}: at most {most}");
}
