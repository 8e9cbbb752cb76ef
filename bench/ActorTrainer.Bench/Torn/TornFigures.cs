using System.Globalization;
using ActorTrainer.Testing.Processes;

namespace ActorTrainer.Bench.Torn;

/// <summary>What became of some lives.</summary>
internal sealed class TornFigures
{
    private int _kills;
    private int _saves;
    private int _states;
    private int _inferred;

    /// <summary>What was wrong first, in words.</summary>
    public string? Fault { get; private set; }

    public int Mixed { get; private set; }

    public int Torn { get; private set; }

    public int Starved { get; private set; }

    /// <summary>How often a first save was not captured though it shows by itself that it is whole.</summary>
    public int Late { get; private set; }

    /// <summary>Committed steps that had to be done again.</summary>
    public long Lost { get; private set; }

    /// <summary>Adds one or several lives of a script.</summary>
    /// <param name="life">What was judged.</param>
    /// <param name="kills">How often it was killed.</param>
    /// <param name="late">Whether its first save was captured too late.</param>
    /// <param name="starved">Whether it saved and saved, and no state was captured.</param>
    /// <param name="where">Whose life it was.</param>
    public void Add(SaveJudge life, int kills, bool late, bool starved, string where)
    {
        Late += late ? 1 : 0;
        _kills += kills;
        _saves += life.Saves;
        _states += life.Commits;
        _inferred += life.Inferred;
        Mixed += life.Mixed;
        Torn += life.Torn;
        Starved += starved ? 1 : 0;
        Fault ??=
            life.Fault is { } fault ? $"{where}: {fault}"
            : late ? $"{where}: the first save was not captured"
            : starved ? $"{where}: {life.Saves} saves, the newest captured after {life.SavesAtCommit}"
            : null;
    }

    /// <summary>Adds kills of which the lives are judged apart.</summary>
    /// <param name="kills">How many.</param>
    /// <param name="starved">That no state was captured any more, as a sentence; null: one was.</param>
    public void AddKills(int kills, string? starved)
    {
        _kills += kills;
        Starved += starved is null ? 0 : 1;
        Fault ??= starved;
    }

    /// <summary>Committed steps were lost.</summary>
    public void AddLost(CommittedHistory history)
    {
        Lost += history.LostSteps;
        Fault ??= history.Faults.Count > 0 ? history.Faults[0] : null;
    }

    public void Add(TornFigures other)
    {
        Lost += other.Lost;
        _kills += other._kills;
        _saves += other._saves;
        _states += other._states;
        _inferred += other._inferred;
        Mixed += other.Mixed;
        Torn += other.Torn;
        Starved += other.Starved;
        Late += other.Late;
        Fault ??= other.Fault;
    }

    /// <summary>The line of figures.</summary>
    /// <param name="by">What was killed: <c>capture</c> or <c>nodes</c>.</param>
    /// <param name="pattern">The way of saving.</param>
    public string Line(string by, string pattern) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"torn by={by} pattern={pattern} kills={_kills} saves={_saves} states={_states} inferred={_inferred} "
                + $"mixed={Mixed} torn={Torn} starved={Starved} late={Late} lost={Lost}"
        );
}
