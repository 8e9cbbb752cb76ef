using System.Globalization;

namespace ActorTrainer.Bench.Torn;

/// <summary>What became of some lives.</summary>
internal sealed class TornFigures
{
    private int _kills;
    private int _saves;
    private int _commits;
    private int _inferred;

    /// <summary>What was wrong first, in words.</summary>
    public string? Fault { get; private set; }

    public int Mixed { get; private set; }

    public int Torn { get; private set; }

    public int Starved { get; private set; }

    /// <summary>How often a first save was not captured though it shows by itself that it is whole.</summary>
    public int Late { get; private set; }

    public void Add(SaveJudge life, int starvesAfter, bool firstIsTaken, string where)
    {
        bool late = firstIsTaken && life.FirstIsLate;
        Late += late ? 1 : 0;
        _kills++;
        _saves += life.Saves;
        _commits += life.Commits;
        _inferred += life.Inferred;
        Mixed += life.Mixed;
        Torn += life.Torn;
        bool starved = life.Saves - life.SavesAtCommit >= starvesAfter;
        Starved += starved ? 1 : 0;
        Fault ??=
            life.Fault is { } fault ? $"{where}: {fault}"
            : late ? $"{where}: the first save was not captured"
            : starved ? $"{where}: {life.Saves} saves, the newest captured after {life.SavesAtCommit}"
            : null;
    }

    public void Add(TornFigures other)
    {
        _kills += other._kills;
        _saves += other._saves;
        _commits += other._commits;
        _inferred += other._inferred;
        Mixed += other.Mixed;
        Torn += other.Torn;
        Starved += other.Starved;
        Late += other.Late;
        Fault ??= other.Fault;
    }

    public string Line(string pattern) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"torn pattern={pattern} kills={_kills} saves={_saves} commits={_commits} inferred={_inferred} "
                + $"mixed={Mixed} torn={Torn} starved={Starved} late={Late}"
        );
}
