using System.Diagnostics;

namespace ActorTrainer.Bench.Torn;

/// <summary>
/// A script that saves in one of the ways until it is killed, as the command of a task: a launcher, which exits with 1 when its child is
/// killed, and the child, which goes on from what it finds in its folder.
/// </summary>
internal static class TornScript
{
    /// <summary>The argument that makes this program such a script.</summary>
    public const string Verb = "torn-script";

    private const string ByLauncher = "by-launcher";
    private const int ShortestPauseMs = 100;
    private const int LongestGapMs = 1200;
    private const int LongestTrainingMs = 800;
    private const int HalfWrittenMs = 60;

    /// <summary>The arguments that run one.</summary>
    public static IReadOnlyList<string> Command(string pattern, string log) =>
        [Environment.ProcessPath!, typeof(TornScript).Assembly.Location, Verb, pattern, log];

    /// <param name="args">The pattern's name, and the path of the log.</param>
    public static int Run(string[] args)
    {
        if (args is [var name, var log, ByLauncher, var launcher])
        {
            Save(SavePattern.All.Single(pattern => pattern.Name == name), new TornLog(log), int.Parse(launcher, null));
        }

        IReadOnlyList<string> command = [.. Command(args[0], args[1]), ByLauncher, $"{Environment.ProcessId}"];
        using Process child = Process.Start(command[0], command.Skip(1));
        child.WaitForExit();
        return 1;
    }

    private static void Save(SavePattern pattern, TornLog log, int launcher)
    {
        string folder = Environment.GetEnvironmentVariable("ACTORTRAINER_CHECKPOINT_DIR")!;
        Random chance = new(Environment.ProcessId);
        Dictionary<string, int> found = SaveFiles.In(folder);
        log.Write(new TornEntry(launcher, Environment.ProcessId, found.Values.DefaultIfEmpty(0).Max(), 0, [], found));

        // A save that was lost is never mistaken for one that has its number: with nothing to go on from everything begins anew.
        int last = found.Count == 0 ? 0 : log.Read().Max(entry => entry.Save);
        SaveFiles files = new(folder, found, Do, () => Pause(0, HalfWrittenMs));
        for (int save = last + 1; ; save++)
        {
            Pause(ShortestPauseMs, LongestTrainingMs);
            IReadOnlyList<SaveStep> steps = pattern.Save(save, chance);
            string[] paths = [.. steps.Select(step => step.Path)];
            for (int i = 0; i < steps.Count; i++)
            {
                Pause(i == 0 ? 0 : ShortestPauseMs, i == 0 ? 1 : LongestGapMs);
                log.Write(new TornEntry(0, Environment.ProcessId, save, i, paths, files.After(save, steps[i])));
                _ = files.Write(save, steps[i]);
            }
        }

        bool Do(Action action)
        {
            action();
            return true;
        }

        void Pause(int least, int most) => Thread.Sleep(chance.Next(least, most));
    }
}
