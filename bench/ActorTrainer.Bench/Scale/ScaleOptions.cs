using ActorTrainer.Bench.Common;
using ActorTrainer.Core.Configuration;

namespace ActorTrainer.Bench.Scale;

/// <summary>What is measured: every combination of engine and database.</summary>
/// <param name="Engines">What carries the tasks, one after the other.</param>
/// <param name="Databases">What the journal is in.</param>
/// <param name="Tasks">Tasks that wait, for more slots than any node has.</param>
/// <param name="Running">Tasks that run besides.</param>
internal sealed record ScaleOptions(IReadOnlyList<EngineKind> Engines, IReadOnlyList<string> Databases, int Tasks, int Running)
{
    private const int MostRunning = 200;

    /// <summary>Parses <c>[--engine NAME,…] [--database NAME,…] [--tasks N]</c>; a fiftieth of the tasks run, 200 of the 10,000 of the default.</summary>
    /// <exception cref="OptionException">An argument is not right.</exception>
    public static ScaleOptions Parse(IReadOnlyList<string> arguments)
    {
        OptionSet options = OptionSet.Parse(
            arguments, ("--engine", BenchEngine.Default), ("--database", BenchDatabase.Sqlite), ("--tasks", "10000"));
        int tasks = options.Number("--tasks", least: 50, most: 100_000);
        ScaleOptions parsed = new(
            [.. options.Several("--engine", BenchEngine.Names).Select(BenchEngine.Parse)],
            options.Several("--database", BenchDatabase.Sqlite, BenchDatabase.PostgreSql),
            tasks,
            Math.Min(MostRunning, tasks / 50));
        BenchDatabase.ShouldFit(parsed.Engines, parsed.Databases);
        return parsed;
    }
}
