using System.Text.Json;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Runtime.Workers.Files.Saves;

namespace ActorTrainer.Runtime.Workers.Files;

/// <summary>Makes staged states of versions, and of what stands beside them in the checkpoint folder.</summary>
/// <param name="root">The folder, without links in its path.</param>
/// <param name="staging">Where states are staged.</param>
/// <param name="options">Which files, and the step to count on from.</param>
/// <param name="versions">Keeps versions.</param>
/// <param name="warnings">Told what no checkpoint has.</param>
internal sealed class StateStager(
    string root,
    string staging,
    FolderCaptureOptions options,
    FolderVersions versions,
    FolderWarnings warnings
)
{
    /// <summary>Files that are written and never closed, with how many paths had been completed when each was begun.</summary>
    private readonly Dictionary<string, int> _begun = new(StringComparer.Ordinal);

    /// <summary>Such files that were closed when <see cref="_unstaged"/> waited already: in it they are what they were to it.</summary>
    private readonly Dictionary<string, int> _closedSince = new(StringComparer.Ordinal);
    private object? _unstaged;
    private int _number;
    private int _completedAtLast;

    /// <summary>Something goes on with a file.</summary>
    public void Begun(string path, int completed) => _begun.TryAdd(path, completed);

    /// <summary>Whether a file was begun since so many paths had been completed, and is open still.</summary>
    public bool IsAnyBegunAfter(int completed) => _begun.Any(file => file.Value >= completed && FolderCapture.IsWaitedFor(file.Key));

    /// <summary>A file was closed or is gone.</summary>
    /// <param name="path">Which.</param>
    /// <param name="due">The save that waits to be staged; null: none.</param>
    /// <returns>Whether anything had gone on with it.</returns>
    public bool Ended(string path, object? due = null)
    {
        if (!_begun.Remove(path, out int begun))
        {
            return false;
        }

        if (due is not null)
        {
            if (!ReferenceEquals(due, _unstaged))
            {
                _closedSince.Clear();
                _unstaged = due;
            }

            _closedSince[path] = begun;
        }

        return true;
    }

    /// <summary>Stages one state.</summary>
    /// <param name="save">Its files.</param>
    /// <param name="completed">How many paths were completed in this run.</param>
    /// <param name="inferred">Whether it was not certain that it is one save.</param>
    /// <param name="order">The order in which the script saves.</param>
    /// <param name="said">Whether the script says itself what is a state.</param>
    /// <returns>Null when it could not be made of these files.</returns>
    /// <exception cref="IOException">It could not be written.</exception>
    public StagedState? Stage(
        IReadOnlyDictionary<string, FileVersion?> save,
        int completed,
        bool inferred,
        IReadOnlyList<IReadOnlyList<string>> order,
        bool said
    )
    {
        if (!ReferenceEquals(save, _unstaged))
        {
            _closedSince.Clear();
        }

        Dictionary<string, FileVersion> all = new(StringComparer.Ordinal);
        foreach ((string path, FileVersion? version) in save)
        {
            if (version is null)
            {
                return null;
            }

            if (version.IsSpoiled)
            {
                warnings.Say($"no checkpoint: '{path}' was renamed in and then written in place; rename a new file over it");
                return null;
            }

            all[path] = version;
        }

        (IReadOnlyList<FileMark> asTheyStand, IReadOnlyList<string> leftOut) = NotClosed(all, said);
        string id = $"files-{_number + 1}";
        string target = Path.Combine(staging, id);
        versions.Stage(target, all, asTheyStand);
        if (order.Count > 0)
        {
            File.WriteAllText(Path.Combine(target, FolderCapture.OrderFile), JsonSerializer.Serialize(order, SaveOrderJson.Default.Saves));
        }

        _number++;
        _completedAtLast = completed;
        foreach (string what in leftOut)
        {
            warnings.Say(what);
        }

        string reason = inferred ? CheckpointReasons.Inferred : CheckpointReasons.Files;
        return new StagedState(id, options.RestoredStep + _number, 0, reason, new Dictionary<string, double>());
    }

    /// <summary>
    /// What is written and never closed: a text as it stands, as logs are. Of another file nobody can tell whether it is whole at
    /// this moment, and what stood there before the run is no part of this save: it is taken out.
    /// </summary>
    private (IReadOnlyList<FileMark> AsTheyStand, IReadOnlyList<string> LeftOut) NotClosed(Dictionary<string, FileVersion> save, bool said)
    {
        (IReadOnlyList<FileMark> files, IReadOnlyList<string> outside) = FolderFiles.Of(root, options.Paths);
        List<FileMark> asTheyStand = [];
        List<string> leftOut = [.. outside];
        foreach (FileMark file in files)
        {
            string path = file.RelativePath;
            FileVersion? version = save.GetValueOrDefault(path);
            if (!FolderCapture.IsWaitedFor(path) && version is null)
            {
                asTheyStand.Add(file);
            }
            else if (version is { Stood: true } && IsHeld(path, out _) && TextFiles.HasGrown(Path.Combine(root, path), version))
            {
                // A log that goes on where the former run ended, whose lines are of this run by now.
                _ = save.Remove(path);
                asTheyStand.Add(file);
            }
            else if (version is null or { Stood: true } && IsHeld(path, out int at))
            {
                if (at > 0 && at >= _completedAtLast)
                {
                    if (said)
                    {
                        leftOut.Add(
                            $"'{path}' is not in the checkpoint that the script has asked for: it is open for writing. Close it first"
                        );
                    }

                    continue;
                }

                _ = save.Remove(path);
                if (IsText(Path.Combine(root, path)))
                {
                    asTheyStand.Add(file);
                }
                else
                {
                    leftOut.Add(
                        $"'{path}' is left out of the checkpoints as long as it is open for writing: nobody can tell when it is whole. "
                            + "Close it after each save, or keep it elsewhere"
                    );
                }
            }
        }

        return (asTheyStand, leftOut);
    }

    private bool IsHeld(string path, out int begun) => _begun.TryGetValue(path, out begun) || _closedSince.TryGetValue(path, out begun);

    private static bool IsText(string path)
    {
        try
        {
            return TextFiles.IsText(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            // It went away meanwhile.
            return true;
        }
    }
}
