using System.Text.Json;

namespace ActorTrainer.Runtime.Workers.Files.Saves;

/// <summary>The order in which earlier runs of a script saved, as a checkpoint brings it along.</summary>
internal static class LearnedOrder
{
    private const long BetweenSaves = 2 * PathKeys.PauseMilliseconds;

    /// <summary>In the place of an order: the script says itself when a state is complete. Readers of before see no order in it.</summary>
    public static IReadOnlyList<IReadOnlyList<string>> Said { get; } =
    [
        [],
    ];

    /// <summary>Whether the script of an earlier run said itself when a state is complete.</summary>
    public static bool IsSaid(IReadOnlyList<IReadOnlyList<string>> learned) => learned is [{ Count: 0 }];

    /// <summary>Reads it from a restored checkpoint and takes it away: scripts do not see it.</summary>
    /// <param name="folder">The restored files; it need not exist.</param>
    /// <returns>The paths of each save that shows the order; empty: none is known.</returns>
    public static IReadOnlyList<IReadOnlyList<string>> Take(string folder)
    {
        string path = Path.Combine(folder, FolderCapture.OrderFile);
        try
        {
            if (File.Exists(path))
            {
                IReadOnlyList<IReadOnlyList<string>>? order = JsonSerializer.Deserialize(
                    File.ReadAllBytes(path),
                    SaveOrderJson.Default.Saves
                );
                File.Delete(path);
                return order ?? [];
            }
        }
        catch (JsonException)
        {
            // Not what this program wrote: the order is learned anew.
        }

        return [];
    }

    /// <summary>Completions such as saves of earlier runs would have left, before those of this one.</summary>
    public static List<Completion> Expand(IReadOnlyList<IReadOnlyList<string>> saves)
    {
        List<Completion> all = [];
        long at = -(saves.Count + 1) * BetweenSaves;
        foreach (IReadOnlyList<string> save in saves)
        {
            foreach (string path in save)
            {
                all.Add(new Completion(path, at++, SaveBreak.None));
            }

            at += BetweenSaves;
        }

        return all;
    }
}
