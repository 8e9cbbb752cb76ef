using System.Globalization;
using ActorTrainer.Checkpoints;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Runtime.Api;
using ActorTrainer.Runtime.Workers.Guard;

namespace ActorTrainer.Runtime.Workers;

/// <summary>Where the files of runs are: <c>DATA/runs/TASK/TERM-RUN/</c>.</summary>
internal sealed class RunDirectories(string dataDirectory)
{
    /// <summary>Runs of a task whose output is kept.</summary>
    public const int KeptOutputs = 5;

    private static readonly string[] DataFolders = ["staging", "restore", "checkpoint", "work"];
    private readonly string _root = Path.Combine(dataDirectory, "runs");

    /// <summary>Where folders that are to go are put aside. No task has such a name.</summary>
    public string Removed => Path.Combine(_root, ".removed");

    public string Of(RunKey run) =>
        Path.Combine(_root, run.Task.Value, string.Create(CultureInfo.InvariantCulture, $"{run.Term}-{run.Run}"));

    public string Staging(RunKey run) => Path.Combine(Of(run), "staging");

    public string Restore(RunKey run) => Path.Combine(Of(run), "restore");

    public string Checkpoint(RunKey run) => Path.Combine(Of(run), "checkpoint");

    /// <summary>The working directory of commands that name none; bundle and links are put into it.</summary>
    public string Work(RunKey run) => Path.Combine(Of(run), "work");

    /// <summary>
    /// Makes a run's folders, except the one to restore into: that is the checkpoint store's, which may be at work in it.
    /// </summary>
    public void Create(RunKey run)
    {
        _ = Directory.CreateDirectory(Of(run));
        foreach (string folder in DataFolders.Where(folder => folder != "restore"))
        {
            _ = Directory.CreateDirectory(Path.Combine(Of(run), folder));
        }
    }

    /// <summary>Removes everything but output from earlier runs of a task, and the output of old ones.</summary>
    /// <param name="run">The run that starts.</param>
    /// <param name="needed">Runs that are left alone.</param>
    /// <param name="remove">What takes a folder away.</param>
    public void RemoveBefore(RunKey run, Func<RunKey, bool> needed, Action<string> remove)
    {
        RunKey[] earlier = [.. RunsOf(run.Task).Where(other => (other.Term, other.Run).CompareTo((run.Term, run.Run)) < 0)];
        Remove(earlier, KeptOutputs - 1, needed, remove);
    }

    /// <summary>Removes everything but output from the runs of a former life of this node.</summary>
    /// <param name="remove">What takes a folder away.</param>
    public void RemoveAll(Action<string> remove)
    {
        if (!Directory.Exists(_root))
        {
            return;
        }

        foreach (string directory in Directory.GetDirectories(_root))
        {
            if (TaskId.TryParse(Path.GetFileName(directory), out TaskId task))
            {
                Remove([.. RunsOf(task)], KeptOutputs, _ => false, remove);
            }
        }
    }

    /// <summary>The output files of a task, oldest first.</summary>
    public IReadOnlyList<OutputFile> OutputFiles(TaskId task) => [.. RunsOf(task).SelectMany(OutputFiles)];

    /// <summary>The output files of a run, oldest first; one that has printed nothing has the one that it will have.</summary>
    public IReadOnlyList<OutputFile> OutputFiles(RunKey run)
    {
        string folder = Of(run);
        OutputFile[] files =
        [
            .. Directory
                .EnumerateFiles(folder, "output*.log")
                .Select(path => (Path: path, Name: Path.GetFileName(path)))
                .Where(file => OutputLog.NumberOf(file.Name) > 0)
                .OrderBy(file => OutputLog.NumberOf(file.Name))
                .Select(file => new OutputFile(run.Term, run.Run, file.Path) { Start = OutputLog.StartOf(file.Name) }),
        ];
        return files.Length > 0 ? files : [new OutputFile(run.Term, run.Run, Path.Combine(folder, OutputLog.FileName(1, 0))) { Start = 0 }];
    }

    /// <summary>Runs of all tasks whose output is not known to be in the store.</summary>
    public IReadOnlyList<RunKey> NotStored() =>
        Directory.Exists(_root)
            ?
            [
                .. Directory
                    .EnumerateDirectories(_root)
                    .Select(path => TaskId.TryParse(Path.GetFileName(path), out TaskId task) ? RunsOf(task) : [])
                    .SelectMany(runs => runs)
                    .Where(run => !File.Exists(StoredMark(run))),
            ]
            : [];

    /// <summary>Says that the store has a run's output as far as it will ever have it.</summary>
    public void MarkStored(RunKey run)
    {
        try
        {
            File.WriteAllBytes(StoredMark(run), []);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The run's folder is gone; or the next life of this node looks at it again.
        }
    }

    private string StoredMark(RunKey run) => Path.Combine(Of(run), "output.stored");

    private void Remove(RunKey[] runs, int keptOutputs, Func<RunKey, bool> needed, Action<string> remove)
    {
        for (int i = 0; i < runs.Length; i++)
        {
            if (needed(runs[i]))
            {
                continue;
            }

            if (i < runs.Length - keptOutputs)
            {
                remove(Of(runs[i]));
                continue;
            }

            foreach (string folder in DataFolders)
            {
                remove(Path.Combine(Of(runs[i]), folder));
            }
        }
    }

    private IEnumerable<RunKey> RunsOf(TaskId task)
    {
        string directory = Path.Combine(_root, task.Value);
        if (!Directory.Exists(directory))
        {
            return [];
        }

        List<RunKey> runs = [];
        foreach (string path in Directory.GetDirectories(directory))
        {
            string[] parts = Path.GetFileName(path).Split('-');
            if (
                parts.Length == 2
                && long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out long term)
                && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int run)
            )
            {
                runs.Add(new RunKey(task, term, run));
            }
        }

        return runs.OrderBy(run => run.Term).ThenBy(run => run.Run);
    }

    /// <summary>Deletes a folder; what can not be deleted now is taken by a later sweep.</summary>
    public static void DeleteFolder(string path)
    {
        try
        {
            if (Directory.Exists(path))
            {
                NativeFiles.DeleteFolder(path);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Kept for the next sweep: it costs space only.
        }
    }
}
