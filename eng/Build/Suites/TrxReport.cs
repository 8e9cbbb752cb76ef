using System.Xml.Linq;

namespace ActorTrainer.Build.Suites;

/// <summary>A test that failed.</summary>
internal sealed record FailedTest(string Name, string Message, string StackTrace);

/// <summary>What a results file (TRX) says.</summary>
/// <param name="Passed">Tests that passed.</param>
/// <param name="Failures">Tests that did not.</param>
/// <param name="Skipped">Names of tests that were not run.</param>
internal sealed record TrxReport(int Passed, IReadOnlyList<FailedTest> Failures, IReadOnlyList<string> Skipped)
{
    /// <summary>Nothing ran.</summary>
    public static TrxReport Empty { get; } = new(0, [], []);

    /// <summary>Parses a results file.</summary>
    public static TrxReport Parse(string xml)
    {
        XElement root = XElement.Parse(xml);
        XNamespace space = root.Name.Namespace;
        int passed = 0;
        List<FailedTest> failures = [];
        List<string> skipped = [];
        foreach (XElement result in root.Descendants(space + "UnitTestResult"))
        {
            string name = (string?)result.Attribute("testName") ?? "?";
            switch ((string?)result.Attribute("outcome"))
            {
                case "Passed":
                    passed++;
                    break;
                case "NotExecuted":
                    skipped.Add(name);
                    break;
                default:
                    XElement? error = result.Descendants(space + "ErrorInfo").FirstOrDefault();
                    failures.Add(
                        new FailedTest(
                            name,
                            (string?)error?.Element(space + "Message") ?? "no message",
                            (string?)error?.Element(space + "StackTrace") ?? ""
                        )
                    );
                    break;
            }
        }

        return new TrxReport(passed, failures, skipped);
    }
}
